/*
 * fuzz_punch.c - what a peer says of its NAT, and when: any bytes, as a schedule
 *
 * A profile that decodes gives the same bytes again. Whatever words and datagrams come, and in
 * whatever order: what is sent goes to the address that was checked or answers what came, answers
 * are no more than what came, the budgets hold, and in the end the machine is quiet.
 */
#include <omerta/wire.h>

#include "fuzz.h"
#include "path/punch.h"

enum { PEER = 0x08080808, SOCKETS = 300, STEPS_MAX = 20000 };

struct run {
    struct om_punch m;
    struct om_reach reach;
    struct om_punch_facts facts;
    om_time now;
    uint64_t came, answers, others, words, told;
};

static struct om_punch_profile profile(struct om_rd *r)
{
    struct om_rd start = *r;
    uint8_t again[OM_PUNCH_PROFILE_BYTES];
    struct om_punch_profile p = {0};

    if (om_punch_profile_decode(&p, r) != OM_OK)
        return (struct om_punch_profile){
            .class = OM_NAT_BLOCK, .reuse = OM_NAT_REUSED, .first_port = 20000, .last_port = 20031};
    struct om_wr w = om_wr(om_mut(again, sizeof again));
    om_punch_profile_encode(&w, &p);
    FUZZ_MUST(memcmp(again, om_rd_take(&start, sizeof again), sizeof again) == 0);
    return p;
}

static void check(struct run *u, const struct om_punch_act *a)
{
    switch (a->kind) {
    case OM_PUNCH_DO_WORD:
        u->words++;
        FUZZ_MUST(a->word.frame.step == OM_PUNCH_PLAN);
        break;
    case OM_PUNCH_DO_OPENER:
        FUZZ_MUST(a->ttl > 0 && a->ttl <= OM_NAT_HOPS_MAX);
        /* fall through */
    case OM_PUNCH_DO_SEND:
        FUZZ_MUST(a->socket <= SOCKETS && a->word.frame.step != OM_PUNCH_PLAN);
        if (a->word.frame.step == OM_PUNCH_SEEN)
            u->answers++;
        else
            FUZZ_MUST(memcmp(a->to.ip, u->facts.peer.ip, 16) == 0 && a->to.port != 0);
        u->others += a->word.frame.step == OM_PUNCH_PROBE;
        break;
    case OM_PUNCH_DO_OPEN:
    case OM_PUNCH_DO_CLOSE:
        FUZZ_MUST(a->socket <= SOCKETS);
        break;
    case OM_PUNCH_DO_SUCCEED:
    case OM_PUNCH_DO_FAIL:
        FUZZ_MUST(!om_punch_is_busy(&u->m));
        break;
    }
}

static void drain(struct run *u)
{
    struct om_punch_act a;

    while (om_punch_next(&u->m, &u->reach, u->now, &a))
        check(u, &a);
}

/* Time passes, with every deadline met; at most @steps of them. */
static void pass(struct run *u, om_time until, unsigned steps)
{
    while (om_punch_deadline(&u->m) <= until && steps-- > 0) {
        om_time at = om_punch_deadline(&u->m);
        u->now = at > u->now ? at : u->now;
        drain(u);
    }
    u->now = until > u->now ? until : u->now;
}

static void one(struct run *u, struct om_rd *r)
{
    uint8_t what = om_rd_u8(r), how = om_rd_u8(r);
    struct om_punch_word w = {.frame = {.step = how & 3, .nonce = how >> 2 & 3}};
    struct om_addr from = om_addr_v4(PEER + (how >> 6), (uint16_t)(1 + om_rd_u8(r)));

    switch (what % 5) {
    case 0:
        u->facts.ours = profile(r);
        if (om_punch_start(&u->m, u->now, &u->facts, how & 1, how >> 2 & 3) == OM_OK)
            u->told += OM_PUNCH_TRIES + OM_PUNCH_GOES;
        break;
    case 1:
        w.profile = profile(r);
        w.frame.fire_ms = what & 0x80 ? om_rd_u32(r) : what >> 6;
        om_punch_told(&u->m, u->now, &w, &u->facts);
        u->told += 1 + OM_PUNCH_GOES;
        break;
    case 2:
        w.frame.fire_ms = what >> 6;
        om_punch_heard(&u->m, u->now, &w.frame, &from, what >> 5 & 3);
        u->came++;
        break;
    case 3:
        pass(u, u->now + OM_MS(how) * (1 + (what >> 4)), STEPS_MAX);
        break;
    case 4:
        drain(u);
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static const uint8_t sip[OM_SIP_KEY] = {1};
    const struct om_id me = {{1}}, peer = {{size > 0 && data[0] & 1 ? 0 : 2}};
    struct run u = {.now = OM_SEC(10), .facts.peer = om_addr_v4(PEER, 40000)};
    const struct om_reach_word word = {.by = {{9}}, .witness = OM_WITNESS_TYPED, .at = u.now};
    uint8_t *copy = fuzz_copy(data, size);
    struct om_rd r = om_rd(om_bytes(copy, size));

    om_reach_init(&u.reach, u.now, sip);
    om_punch_init(&u.m, &me, &peer, 1);
    bool is_vouched = size > 1 && data[1] & 1;
    if (is_vouched)
        FUZZ_MUST(om_reach_attest(&u.reach, u.now, &peer, &u.facts.peer, &word));
    u.facts.left = om_reach_left(&u.reach, u.now, &u.facts.peer, &peer);
    u.facts.rtt = size > 2 ? OM_MS(data[2]) : 0;
    while (om_rd_left(&r) > 0 && !r.bad)
        one(&u, &r);
    drain(&u);
    pass(&u, u.now + OM_SEC(60), STEPS_MAX * 10);
    FUZZ_MUST(!om_punch_is_busy(&u.m) && om_punch_deadline(&u.m) == OM_NEVER);
    FUZZ_MUST(u.others <= u.m.sent && u.answers + u.others <= u.came + u.m.sent);
    FUZZ_MUST(u.m.sent <= (is_vouched ? OM_REACH_CORROBORATED_MAX : 0) + 6 * 3U);
    FUZZ_MUST(u.words <= u.told);
    om_reach_fini(&u.reach);
    free(copy);
    return 0;
}
