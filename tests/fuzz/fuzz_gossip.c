/*
 * fuzz_gossip.c - what peers tell, ask and answer: any bytes, believed
 *
 * The input is a list of deeds: u8 what, u8 of whom, u8 length, and so many bytes (over 250: all
 * that is left). Deeds are read without the wire cursor, so that a planted bug is the machine's.
 */
#include <omerta/wire.h>

#include "fuzz.h"
#include "gossip/gossip.h"

enum {
    PEERS = 6,
    DEEDS_MAX = 64,
    DEED_HEAD = 3,
    ALL_LEFT = 251,
    RECORDS_MAX = 16,
    ENTRY_HEAD = 4,
    WALL_S = 1000 /* small, so that small numbers are times that can be */
};

enum deed {
    RUMOUR,
    SYNC,
    GET,
    SEEK,
    REPLY,
    FAIL,
    TELL,   /* a rumour that is well formed: entry() */
    ANSWER, /* the same as the answer to the last call */
    WAIT,
    MEET,
    LOOK_FOR,
    LEARN,
    PUBLISH,
    DEEDS
};

struct stage {
    struct om_gossip *g;
    om_time now;
    uint64_t tag; /* of the last call */
};

static const struct om_id network = {{7}};

static struct om_id peer(unsigned k)
{
    struct om_id id = {{0}};

    id.b[0] = (uint8_t)(0x31 * (1 + k % PEERS));
    return id;
}

static const struct om_identity *self(void)
{
    static struct om_identity me;
    static bool is_made;
    uint8_t seed[32] = {0};

    while (!is_made) { /* not every seed will do */
        FUZZ_MUST(++seed[0] != 0);
        is_made = om_identity_from_seed(&me, seed) == OM_OK;
    }
    return &me;
}

static struct om_gossip *start(void)
{
    static const uint8_t fields[] = {OM_FIELD_NAME, 0, 1, 'n'};
    const struct om_gossip_config c = {.self = self(),
                                       .network = network,
                                       .records_max = RECORDS_MAX,
                                       .seed = 1,
                                       .wall = {WALL_S * INT64_C(1000)}};
    const struct om_gossip_self says = {
        .end_count = 1,
        .ends = {{OM_END_HOST, {.ip = {[10] = 255, 255, 10}, .port = 1}}},
        .fields = {fields, sizeof fields}};
    struct om_gossip *g;

    FUZZ_MUST(om_gossip_new(&g, &c, 0) == OM_OK);
    FUZZ_MUST(om_gossip_set_self(g, 0, &says) == OM_OK);
    FUZZ_MUST(om_gossip_subscribe(g, "c") == OM_OK);
    return g;
}

/* {u16 length, entry}: a record, or with an odd first byte an item; what @in says beyond four bytes
 * is its fields or value. Returns its length, 0 when @in is too short or long. */
static size_t entry(uint8_t out[static OM_RECORD_MAX], unsigned who, struct om_bytes in)
{
    struct om_wr w = om_wr(om_mut(out, OM_RECORD_MAX));
    const struct om_id id = in.n > 1 && in.p[1] == 0xff ? self()->id : peer(who);
    static const uint8_t none[OM_SIGN_BYTES];

    if (in.n < ENTRY_HEAD || in.n > 256)
        return 0;
    bool is_item = in.p[0] % 2 == 1;
    om_wr_u16(&w, 0);
    om_wr_u8(&w, is_item ? OM_ITEM_VERSION : OM_RECORD_VERSION);
    om_wr_copy(&w, id.b, sizeof id.b);
    om_wr_u48(&w, WALL_S * UINT64_C(1000) + in.p[1] * UINT64_C(1000));
    om_wr_u32(&w, WALL_S + 256 * (uint32_t)in.p[2]);
    if (is_item) {
        om_wr_u8(&w, 1);
        om_wr_u8(&w, 'a' + in.p[3] % 4);
    } else {
        om_wr_u8(&w, 0);
        om_wr_u8(&w, 0);
        om_wr_u8(&w, in.p[3] % 2);
        if (in.p[3] % 2) {
            const struct om_addr a = {.ip = {[10] = 255, 255, in.p[3]}, .port = 1};
            om_wr_u8(&w, OM_END_HOST);
            om_addr_write(&w, &a);
        }
    }
    om_wr_u16(&w, (uint16_t)(in.n - ENTRY_HEAD));
    om_wr_copy(&w, in.p + ENTRY_HEAD, in.n - ENTRY_HEAD);
    om_wr_copy(&w, none, sizeof none);
    size_t n = om_wr_len(&w);
    out[0] = (uint8_t)((n - 2) >> 8);
    out[1] = (uint8_t)(n - 2);
    return n;
}

/* What is held can be told, and the counts are of what is held. */
static void check_store(const struct om_records *s)
{
    unsigned n = 0, items = 0;
    uint64_t change = 0;
    struct om_entry e, read;

    for (struct om_link *l = s->changes.head.next; l != &s->changes.head; l = l->next, n++) {
        const struct om_held *h = OM_CONTAINER_OF(l, struct om_held, by_change);
        FUZZ_MUST(h->change > change);
        change = h->change;
        om_records_entry(h, &e);
        FUZZ_MUST(om_entry_decode(&read, e.bytes) == OM_OK);
        FUZZ_MUST(read.sequence == h->sequence && read.expires == h->expires);
        FUZZ_MUST(om_records_get(s, &e) == h && om_records_by_hash(s, h->hash) == h);
        items += h->is_item;
    }
    FUZZ_MUST(n == s->records + s->items && items == s->items && s->change >= change);
    FUZZ_MUST(s->records <= s->max);
    FUZZ_MUST(om_records_find(s, &self()->id));
}

/* Each {u16 length, entry} of what we say is an entry. */
static void check_told(struct om_bytes told)
{
    struct om_rd r = om_rd(told);
    struct om_entry e;

    while (om_rd_left(&r) > 0) {
        struct om_bytes bytes = om_rd_bytes(&r, om_rd_u16(&r));
        FUZZ_MUST(!r.bad && om_entry_decode(&e, bytes) == OM_OK);
    }
}

static void take_acts(struct stage *s)
{
    struct om_gossip_act a;
    unsigned n = 0;

    while (om_gossip_next(s->g, &a)) {
        FUZZ_MUST(n++ <= OM_GOSSIP_ACTS);
        if (a.kind == OM_GOSSIP_ACT_CALL)
            s->tag = a.tag;
        if (a.kind == OM_GOSSIP_ACT_PUSH)
            check_told(a.bytes);
    }
}

static void request(struct stage *s, const struct om_id *from, enum om_gossip_method method,
                    struct om_bytes in)
{
    static uint8_t room[OM_GOSSIP_REPLY_MAX];
    struct om_wr w = om_wr(om_mut(room, sizeof room));
    enum om_err e = om_gossip_request(s->g, s->now, from, method, in, &w);

    FUZZ_MUST(e == OM_OK || e == OM_E_PARSE || e == OM_E_BUSY);
    FUZZ_MUST(!w.bad);
    if (e != OM_OK || method == OM_GOSSIP_SYNC)
        return;
    size_t head = method == OM_GOSSIP_SEEK ? 4 : 0;
    check_told(om_bytes(room + head, om_wr_len(&w) - head));
}

static void wait_for(struct stage *s, struct om_bytes in)
{
    om_time due = om_gossip_deadline(s->g);

    s->now = in.n > 0 ? s->now + OM_SEC(16) * in.p[0] : due > s->now ? due : s->now;
    om_gossip_tick(s->g, s->now);
    FUZZ_MUST(om_gossip_deadline(s->g) > s->now);
}

static void tell(struct stage *s, enum deed d, const struct om_id *from, unsigned who,
                 struct om_bytes in)
{
    uint8_t bytes[OM_RECORD_MAX];
    size_t n = entry(bytes, who, in);
    uint8_t *copy = fuzz_copy(bytes, n);

    if (d == TELL)
        om_gossip_rumour(s->g, s->now, from, om_bytes(copy, n));
    else
        om_gossip_reply(s->g, s->now, s->tag, true, om_bytes(copy, n));
    free(copy);
}

static void act(struct stage *s, enum deed d, unsigned who, struct om_bytes in)
{
    const struct om_id from = peer(who);
    const struct om_addr at = {.ip = {[10] = 255, 255, 10, 0, 0, (uint8_t)who}, .port = 1};

    switch (d) {
    case RUMOUR:
        om_gossip_rumour(s->g, s->now, &from, in);
        break;
    case SYNC:
    case GET:
    case SEEK:
        request(s, &from, OM_GOSSIP_SYNC + (d - SYNC), in);
        break;
    case REPLY:
    case FAIL:
        om_gossip_reply(s->g, s->now, s->tag, d == REPLY, in);
        break;
    case TELL:
    case ANSWER:
        tell(s, d, &from, who / PEERS, in);
        break;
    case WAIT:
        wait_for(s, in);
        break;
    case MEET:
        om_gossip_peer_up(s->g, s->now, &from, &at);
        break;
    case LOOK_FOR:
        (void)!om_gossip_seek(s->g, s->now, &from);
        break;
    case LEARN:
        om_gossip_learn(s->g, s->now, in);
        break;
    case PUBLISH:
        (void)!om_gossip_publish(s->g, s->now, "c", in, 1 + who);
        break;
    case DEEDS:
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct stage s = {.g = start()};
    struct om_addr ends[OM_RECORD_ENDS_MAX];

    for (unsigned i = 0; size >= DEED_HEAD && i < DEEDS_MAX; i++) {
        size_t left = size - DEED_HEAD, n = data[2] < ALL_LEFT && data[2] < left ? data[2] : left;
        uint8_t *copy = fuzz_copy(data + DEED_HEAD, n);
        const struct om_id who = peer(data[1]);

        act(&s, data[0] % DEEDS, data[1], om_bytes(copy, n));
        take_acts(&s);
        FUZZ_MUST(om_gossip_ends(s.g, &who, ends) <= OM_RECORD_ENDS_MAX);
        free(copy);
        data += DEED_HEAD + n;
        size = left - n;
    }
    check_store(om_gossip_store(s.g));
    om_gossip_free(s.g);
    return 0;
}
