/* flow.c - stages of flows, each a map in order of use. */
#include "guard/flow.h"

#include <string.h>

/* Nothing between the fields: the whole is the key. */
struct key {
    uint8_t near[16], far[16];
    uint16_t near_port, far_port;
    uint8_t proto;
    uint8_t zero[3];
};

static_assert(sizeof(struct key) == 40, "a key has padding");

struct flow {
    om_time at; /* of its last packet */
    enum om_direction opened;
    bool is_answered; /* TCP: by SYN and ACK */
    bool has_fin[OM_DIRECTION_COUNT];
};

static const om_time patience[OM_STAGES] = {[OM_STAGE_CLOSING] = OM_SEC(120),
                                            [OM_STAGE_OPENING] = OM_SEC(120),
                                            [OM_STAGE_ASKED] = OM_SEC(30),
                                            [OM_STAGE_ANSWERED] = OM_SEC(120),
                                            [OM_STAGE_OPEN] = OM_SEC(24 * 3600)};

static struct key key_of(enum om_direction d, const struct om_ip *ip)
{
    const struct om_addr *near = d == OM_OUT ? &ip->src : &ip->dst;
    const struct om_addr *far = d == OM_OUT ? &ip->dst : &ip->src;
    struct key k = {.near_port = near->port, .far_port = far->port, .proto = ip->proto};

    memcpy(k.near, near->ip, sizeof k.near);
    memcpy(k.far, far->ip, sizeof k.far);
    return k;
}

enum om_err om_flows_init(struct om_flows *f, unsigned max,
                          const uint8_t sip_key[static OM_SIP_KEY])
{
    enum om_err e = max > 0 && max <= OM_GUARD_FLOWS_MAX ? OM_OK : OM_E_RANGE;

    *f = (struct om_flows){.max = max};
    for (unsigned i = 0; i < OM_STAGES && e == OM_OK; i++)
        e = om_lru_init(&f->stage[i], sizeof(struct key), sizeof(struct flow), max, sip_key);
    return e;
}

void om_flows_fini(struct om_flows *f)
{
    for (unsigned i = 0; i < OM_STAGES; i++)
        om_lru_fini(&f->stage[i]);
}

unsigned om_flows_count(const struct om_flows *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < OM_STAGES; i++)
        n += om_lru_count(&f->stage[i]);
    return n;
}

om_time om_flows_deadline(const struct om_flows *f)
{
    om_time at = OM_NEVER;

    for (unsigned i = 0; i < OM_STAGES; i++) {
        const struct flow *oldest = om_lru_oldest(&f->stage[i], NULL);

        if (oldest)
            at = om_time_min(at, oldest->at + patience[i]);
    }
    return at;
}

static void drop_oldest(struct om_lru *l)
{
    const void *key;
    struct key copy;

    if (!om_lru_oldest(l, &key))
        return;
    memcpy(&copy, key, sizeof copy);
    (void)om_lru_remove(l, &copy);
}

void om_flows_tick(struct om_flows *f, om_time now)
{
    const struct flow *oldest;

    for (unsigned i = 0; i < OM_STAGES; i++) {
        while ((oldest = om_lru_oldest(&f->stage[i], NULL)) && oldest->at + patience[i] <= now)
            drop_oldest(&f->stage[i]);
    }
}

/* The flow under @k and its stage, now the freshest there; NULL when there is none. */
static struct flow *find(struct om_flows *f, om_time now, const struct key *k, unsigned *stage)
{
    for (unsigned i = OM_STAGES; i > 0; i--) {
        struct flow *flow = om_lru_peek(&f->stage[i - 1], k);

        if (!flow)
            continue;
        *stage = i - 1;
        if (flow->at + patience[i - 1] > now)
            return om_lru_find(&f->stage[i - 1], k);
        (void)om_lru_remove(&f->stage[i - 1], k);
        return NULL;
    }
    return NULL;
}

/* Without memory the flow stays where it is: its time is then the shorter one. */
static void move(struct om_flows *f, const struct key *k, struct flow flow, unsigned from,
                 enum om_stage to)
{
    struct flow *there = from == to ? NULL : om_lru_put(&f->stage[to], k, NULL);

    if (!there)
        return;
    *there = flow;
    (void)om_lru_remove(&f->stage[from], k);
}

static enum om_stage tcp_stage(struct flow *flow, enum om_direction d, uint8_t flags,
                               enum om_stage stage)
{
    bool is_opener = d == flow->opened;

    if (flags & OM_TCP_FIN)
        flow->has_fin[d] = true;
    if (flags & OM_TCP_RST || (flow->has_fin[OM_OUT] && flow->has_fin[OM_IN]))
        return OM_STAGE_CLOSING;
    if (!is_opener && (flags & OM_TCP_SYN) && (flags & OM_TCP_ACK))
        flow->is_answered = true;
    if (stage == OM_STAGE_OPENING && is_opener && flow->is_answered && !(flags & OM_TCP_SYN))
        return OM_STAGE_OPEN;
    return stage;
}

/* A lone SYN from the other end of a half-open connection is no answer to the first one. */
static bool is_tcp_strange(const struct flow *flow, enum om_direction d, uint8_t flags,
                           unsigned stage)
{
    return stage == OM_STAGE_OPENING && d != flow->opened && (flags & OM_TCP_SYN) &&
           !(flags & OM_TCP_ACK);
}

static enum om_flow_answer see_tcp(struct om_flows *f, om_time now, enum om_direction d,
                                   const struct om_packet *p)
{
    struct key k = key_of(d, &p->ip);
    unsigned stage = 0;
    struct flow *flow = find(f, now, &k, &stage);
    bool is_syn = (p->l4.flags & (OM_TCP_SYN | OM_TCP_ACK)) == OM_TCP_SYN;

    if (flow && is_syn && stage == OM_STAGE_CLOSING) { /* the ports are used again */
        (void)om_lru_remove(&f->stage[stage], &k);
        flow = NULL;
    }
    if (!flow)
        return is_syn ? OM_FLOW_OPENS : OM_FLOW_STRAY;
    if (is_tcp_strange(flow, d, p->l4.flags, stage))
        return OM_FLOW_STRAY;
    flow->at = now;
    enum om_stage to = tcp_stage(flow, d, p->l4.flags, (enum om_stage)stage);
    move(f, &k, *flow, stage, to);
    return OM_FLOW_KNOWN;
}

static enum om_flow_answer see_exchange(struct om_flows *f, om_time now, enum om_direction d,
                                        const struct om_packet *p, bool may_open)
{
    struct key k = key_of(d, &p->ip);
    unsigned stage = 0;
    struct flow *flow = find(f, now, &k, &stage);

    if (!flow)
        return may_open ? OM_FLOW_OPENS : OM_FLOW_STRAY;
    if (p->carries == OM_CARRIES_ICMP && may_open != (d == flow->opened))
        return may_open ? OM_FLOW_OPENS
                        : OM_FLOW_STRAY; /* a reply from who asked, or the reverse */
    flow->at = now;
    move(f, &k, *flow, stage, d == flow->opened ? (enum om_stage)stage : OM_STAGE_ANSWERED);
    return OM_FLOW_KNOWN;
}

/* An error goes the other way than the packet that it quotes. */
static enum om_flow_answer see_error(struct om_flows *f, om_time now, enum om_direction d,
                                     const struct om_packet *p)
{
    struct om_ip quoted;
    unsigned stage = 0;

    if (om_icmp_quoted(&p->icmp, &quoted) != OM_BAD_NONE)
        return OM_FLOW_STRAY;
    struct key k = key_of(d == OM_OUT ? OM_IN : OM_OUT, &quoted);
    const void *near = d == OM_OUT ? p->ip.src.ip : p->ip.dst.ip;
    if (memcmp(near, k.near, sizeof k.near) != 0)
        return OM_FLOW_STRAY;
    for (stage = 0; stage < OM_STAGES; stage++) {
        const struct flow *flow = om_lru_peek(&f->stage[stage], &k); /* does not keep it alive */

        if (flow)
            return flow->at + patience[stage] > now ? OM_FLOW_KNOWN : OM_FLOW_STRAY;
    }
    return OM_FLOW_STRAY;
}

enum om_flow_answer om_flows_see(struct om_flows *f, om_time now, enum om_direction d,
                                 const struct om_packet *p)
{
    if (p->carries == OM_CARRIES_TCP)
        return see_tcp(f, now, d, p);
    if (p->carries != OM_CARRIES_ICMP || p->icmp.kind == OM_ICMP_ECHO)
        return see_exchange(f, now, d, p, true);
    if (p->icmp.kind == OM_ICMP_ERROR)
        return see_error(f, now, d, p);
    return p->icmp.kind == OM_ICMP_ECHO_REPLY ? see_exchange(f, now, d, p, false) : OM_FLOW_STRAY;
}

static void make_room(struct om_flows *f)
{
    if (om_flows_count(f) < f->max)
        return;
    for (unsigned i = 0; i < OM_STAGES; i++) {
        if (om_lru_count(&f->stage[i]) > 0) {
            drop_oldest(&f->stage[i]);
            f->evicted++;
            return;
        }
    }
}

enum om_err om_flows_open(struct om_flows *f, om_time now, enum om_direction d,
                          const struct om_packet *p)
{
    struct key k = key_of(d, &p->ip);
    enum om_stage stage = p->carries == OM_CARRIES_TCP ? OM_STAGE_OPENING : OM_STAGE_ASKED;

    for (unsigned i = 0; i < OM_STAGES; i++)
        (void)om_lru_remove(&f->stage[i], &k);
    om_flows_tick(f, now);
    make_room(f);
    struct flow *flow = om_lru_put(&f->stage[stage], &k, NULL);
    if (!flow)
        return OM_E_NO_MEM;
    *flow = (struct flow){.at = now, .opened = d};
    return OM_OK;
}
