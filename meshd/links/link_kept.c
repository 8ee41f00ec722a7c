/* link_kept.c - the connections of a card, kept in a file for the daemon that comes next. */
#include "links/link_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "links/parts.h"
#include "netstack/packet/cksum.h"
#include "netstack/packet/ether.h"
#include "netstack/packet/packet.h"

enum {
    MARK = 0x6f6d4631, /* of a slot in use */
    MARK_BYTES = 4,
    READ_SLOTS = 64, /* at once */
    V4_HEAD_WORDS = 0x4500,
    V4_DONT_FRAGMENT = 0x4000,
    V4_SUM_AT = 10,
    V6_HEAD_WORDS = 0x6000,
    TTL = 64,
    TCP_OFFSET = 0x50, /* 20 bytes of head */
    TCP_SUM_AT = 16,
    SEQUENCE_BITS = 30 /* rounds differ in what is above: one may be in the window by chance */
};

static_assert((int)LINK_KEPT_MAX == (int)LINK_TCP_MAX + LINK_INWARD_MAX, "slots");
static_assert((int)LINK_KEPT_FRAME >= (int)OM_ETHER_HEAD + OM_IP6_HEAD + OM_TCP_HEAD, "room");

enum state { FREE, USED, LEFT };

struct slot {
    struct om_addr here, there;
    enum state state;
};

struct link_kept {
    int file;
    uint8_t mac[OM_MAC], here_mac[OM_MAC];
    struct link_sides sides;
    struct slot slots[LINK_KEPT_MAX];
    unsigned next; /* where to look for a free one */
    unsigned left;
    om_time at; /* OM_NEVER: nothing to ask */
    unsigned round, cursor, burst;
};

struct segment {
    struct om_addr from, to;
    uint32_t seq;
    uint8_t flags;
};

static bool is_same_ip(const struct om_addr *a, const struct om_addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* Could this connection have been one of the link's? Others wrote the file, perhaps. */
static bool is_right(const struct link_kept *k, const struct om_addr *here,
                     const struct om_addr *there)
{
    const struct link_sides *s = &k->sides;
    enum om_addr_class class = om_addr_classify(here);
    bool is_v4 = om_addr_is_v4(there);

    return here->port != 0 && there->port != 0 && is_v4 == om_addr_is_v4(here) &&
           (is_v4 ? s->has_v4 : s->has_v6) && is_same_ip(there, is_v4 ? &s->there : &s->there6) &&
           !is_same_ip(here, there) && class != OM_ADDR_UNSPECIFIED && class != OM_ADDR_LOOPBACK &&
           class != OM_ADDR_MULTICAST;
}

static bool write_at(const struct link_kept *k, unsigned i, struct om_bytes b)
{
    return pwrite(k->file, b.p, b.n, (off_t)i * LINK_KEPT_SLOT) == (ssize_t)b.n;
}

static void release(struct link_kept *k, unsigned i)
{
    static const uint8_t none[MARK_BYTES];

    k->left -= k->slots[i].state == LEFT;
    k->slots[i].state = FREE;
    (void)write_at(k, i, om_bytes(none, sizeof none)); /* what stays is asked about in vain */
}

static void read_slot(struct link_kept *k, unsigned i, struct om_rd *r)
{
    struct slot *slot = &k->slots[i];
    uint32_t mark = om_rd_u32(r);

    slot->here = om_addr_read(r);
    slot->there = om_addr_read(r);
    if (mark != MARK || r->bad || !is_right(k, &slot->here, &slot->there))
        return;
    slot->state = LEFT;
    k->left++;
}

/* As far as there are whole slots; false: it cannot be read. */
static bool read_slots(struct link_kept *k)
{
    uint8_t some[READ_SLOTS * LINK_KEPT_SLOT];

    for (unsigned i = 0; i < LINK_KEPT_MAX; i += READ_SLOTS) {
        ssize_t n = pread(k->file, some, sizeof some, (off_t)i * LINK_KEPT_SLOT);
        if (n < 0)
            return false;
        struct om_rd r = om_rd(om_bytes(some, (size_t)n));
        for (unsigned j = i; j < LINK_KEPT_MAX && om_rd_left(&r) >= LINK_KEPT_SLOT; j++)
            read_slot(k, j, &r);
        if ((size_t)n < sizeof some)
            break;
    }
    return true;
}

bool link_kept_open(struct link_kept **out, const char *path, const struct link_config *config,
                    struct om_error *err)
{
    struct link_kept *k = calloc(1, sizeof *k);
    struct stat st;

    if (!k) {
        (void)om_fail(err, OM_E_NO_MEM, "no memory");
        return false;
    }
    memcpy(k->mac, config->mac, sizeof k->mac);
    memcpy(k->here_mac, config->here_mac, sizeof k->here_mac);
    k->sides = config->sides;
    k->at = OM_NEVER;
    k->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR);
    if (k->file >= 0 && fstat(k->file, &st) == 0 && S_ISREG(st.st_mode) && read_slots(k)) {
        *out = k;
        return true;
    }
    (void)om_fail(err, OM_E_STATE, "%s: %s", path,
                  k->file < 0 ? strerror(errno) : "no file that can be read");
    link_kept_close(&k);
    return false;
}

void link_kept_close(struct link_kept **k)
{
    if (*k && (*k)->file >= 0)
        (void)close((*k)->file);
    free(*k);
    *k = NULL;
}

static unsigned find_left(const struct link_kept *k, const struct om_addr *here,
                          const struct om_addr *there)
{
    for (unsigned i = 0; k->left > 0 && i < LINK_KEPT_MAX; i++) {
        const struct slot *s = &k->slots[i];
        if (s->state == LEFT && om_addr_equal(&s->here, here) && om_addr_equal(&s->there, there))
            return i;
    }
    return LINK_KEPT_MAX;
}

unsigned link_kept_put(struct link_kept *k, const struct om_addr *here, const struct om_addr *there)
{
    uint8_t room[LINK_KEPT_SLOT];
    struct om_wr w = om_wr(om_mut(room, sizeof room));
    unsigned i = 0, tried = 0;

    if (!k)
        return 0;
    i = find_left(k, here, there); /* the same ports again */
    if (i < LINK_KEPT_MAX)
        release(k, i);
    for (i = k->next; k->slots[i].state != FREE; i = (i + 1) % LINK_KEPT_MAX)
        if (++tried == LINK_KEPT_MAX)
            return 0;
    om_wr_u32(&w, MARK);
    om_addr_write(&w, here);
    om_addr_write(&w, there);
    OM_BUG_IF(w.bad || om_wr_len(&w) != LINK_KEPT_SLOT);
    if (!write_at(k, i, om_bytes(room, sizeof room))) {
        release(k, i);
        return 0;
    }
    k->slots[i] = (struct slot){.here = *here, .there = *there, .state = USED};
    k->next = (i + 1) % LINK_KEPT_MAX;
    return i + 1;
}

void link_kept_clear(struct link_kept *k, unsigned slot)
{
    if (!k || slot == 0)
        return;
    OM_BUG_IF(slot > LINK_KEPT_MAX || k->slots[slot - 1].state != USED);
    release(k, slot - 1);
}

unsigned link_kept_left(const struct link_kept *k)
{
    return k->left;
}

void link_kept_start(struct link_kept *k, om_time now)
{
    if (k && k->left > 0)
        k->at = now;
}

om_time link_kept_deadline(const struct link_kept *k)
{
    return k ? k->at : OM_NEVER;
}

static void put_sum(uint8_t *at, uint16_t sum)
{
    struct om_wr w = om_wr(om_mut(at, 2));

    om_wr_u16(&w, sum);
}

static void write_ip(struct om_wr *w, const struct segment *s)
{
    if (om_addr_is_v4(&s->to)) {
        uint8_t *ip = w->p;
        om_wr_u16(w, V4_HEAD_WORDS);
        om_wr_u16(w, OM_IP4_HEAD + OM_TCP_HEAD);
        om_wr_u16(w, 0);
        om_wr_u16(w, V4_DONT_FRAGMENT);
        om_wr_u8(w, TTL);
        om_wr_u8(w, OM_PROTO_TCP);
        om_wr_u16(w, 0);
        om_wr_copy(w, s->from.ip + 12, 4);
        om_wr_copy(w, s->to.ip + 12, 4);
        OM_BUG_IF(w->bad);
        put_sum(ip + V4_SUM_AT, om_cksum_end(om_cksum_add(0, om_bytes(ip, OM_IP4_HEAD))));
        return;
    }
    om_wr_u16(w, V6_HEAD_WORDS);
    om_wr_u16(w, 0);
    om_wr_u16(w, OM_TCP_HEAD);
    om_wr_u8(w, OM_PROTO_TCP);
    om_wr_u8(w, TTL);
    om_wr_copy(w, s->from.ip, sizeof s->from.ip);
    om_wr_copy(w, s->to.ip, sizeof s->to.ip);
}

static struct om_bytes write_segment(const struct link_kept *k, const struct segment *s,
                                     struct om_mut room)
{
    struct om_ether e = {.type = om_addr_is_v4(&s->to) ? OM_ETHER_IP4 : OM_ETHER_IP6};
    struct om_wr w = om_wr(room);

    memcpy(e.dst, k->mac, sizeof e.dst);
    memcpy(e.src, k->here_mac, sizeof e.src);
    om_ether_write(&w, &e);
    write_ip(&w, s);
    uint8_t *tcp = w.p;
    om_wr_u16(&w, s->from.port);
    om_wr_u16(&w, s->to.port);
    om_wr_u32(&w, s->seq);
    om_wr_u32(&w, 0);
    om_wr_u8(&w, TCP_OFFSET);
    om_wr_u8(&w, s->flags);
    om_wr_zero(&w, 6);
    OM_BUG_IF(w.bad);
    uint32_t sum = om_cksum_pseudo(&s->from, &s->to, OM_PROTO_TCP, OM_TCP_HEAD);
    put_sum(tcp + TCP_SUM_AT, om_cksum_end(om_cksum_add(sum, om_bytes(tcp, OM_TCP_HEAD))));
    return om_bytes(room.p, om_wr_len(&w));
}

/* All were asked once more. */
static void end_round(struct link_kept *k, om_time now)
{
    k->cursor = k->burst = 0;
    k->round++;
    k->at = now + OM_MS(LINK_KEPT_ROUND_MS);
    for (unsigned i = 0; k->round > LINK_KEPT_ROUNDS && i < LINK_KEPT_MAX; i++)
        if (k->slots[i].state == LEFT)
            release(k, i);
    if (k->left == 0)
        k->at = OM_NEVER;
}

struct om_bytes link_kept_tick(struct link_kept *k, om_time now, struct om_mut room)
{
    if (now < k->at)
        return om_bytes(NULL, 0);
    while (k->cursor < LINK_KEPT_MAX && k->round < LINK_KEPT_ROUNDS) {
        const struct slot *slot = &k->slots[k->cursor++];
        if (slot->state != LEFT)
            continue;
        if (++k->burst % LINK_KEPT_BURST == 0)
            k->at = now + OM_MS(LINK_KEPT_PACE_MS);
        const struct segment ask = {.from = slot->here,
                                    .to = slot->there,
                                    .seq = (uint32_t)k->round << SEQUENCE_BITS,
                                    .flags = OM_TCP_ACK};
        return write_segment(k, &ask, room);
    }
    end_round(k, now);
    return om_bytes(NULL, 0);
}

bool link_kept_input(struct link_kept *k, struct om_bytes frame, struct om_mut room,
                     struct om_bytes *answer)
{
    struct om_packet p;
    struct om_ether e;

    *answer = om_bytes(NULL, 0);
    if (!k || k->left == 0 || om_ether_parse(&e, frame) != OM_BAD_NONE ||
        memcmp(e.src, k->mac, OM_MAC) != 0 || om_packet_parse(&p, e.payload) != OM_BAD_NONE ||
        p.carries != OM_CARRIES_TCP)
        return false;
    unsigned i = find_left(k, &p.ip.dst, &p.ip.src);
    if (i == LINK_KEPT_MAX)
        return false;
    if (p.l4.flags & OM_TCP_SYN) { /* the ports are used again; or an answer to our own SYN */
        if (!(p.l4.flags & OM_TCP_ACK))
            release(k, i);
        return false;
    }
    const struct segment reset = {
        .from = p.ip.dst, .to = p.ip.src, .seq = p.l4.ack, .flags = OM_TCP_RST};
    if (!(p.l4.flags & OM_TCP_RST)) {
        if (!(p.l4.flags & OM_TCP_ACK))
            return false;
        *answer = write_segment(k, &reset, room);
    }
    release(k, i);
    return true;
}
