/* natbox.c - a datagram in, a datagram out or a reason. */
#include "natbox.h"

#include <string.h>

#include "natport.h"

struct sim_nat_model sim_nat_model_default(void)
{
    return (struct sim_nat_model){.first = 1024,
                                  .last = UINT16_MAX,
                                  .stride = 1,
                                  .block = 512,
                                  .timeout = OM_SEC(30),
                                  .answered = OM_SEC(120),
                                  .entries = SIM_NAT_ENTRIES_MAX};
}

void sim_natbox_init(struct sim_natbox *b, const struct sim_nat_model *m,
                     const struct om_addr *outside, uint64_t seed)
{
    static const uint8_t sip[OM_SIP_KEY];
    unsigned count = m->last - m->first + 1u;

    OM_BUG_IF(m->first == 0 || m->last < m->first || m->stride == 0 || m->timeout <= 0 ||
              m->answered <= 0);
    OM_BUG_IF(m->ports == SIM_NAT_BLOCK && (m->block == 0 || m->block > count));
    *b = (struct sim_natbox){.model = *m, .outside = *outside};
    b->outside.port = 0;
    om_prng_seed(&b->prng, seed);
    sim_natmap_init(&b->map, m->entries);
    enum om_err e = om_lru_init(&b->blocks, 16, sizeof(unsigned), SIM_NAT_HOSTS_MAX, sip);
    OM_BUG_IF(e != OM_OK);
    b->cursor = (unsigned)om_prng_below(&b->prng, count);
    if (m->ports == SIM_NAT_BLOCK)
        b->block_first = (unsigned)om_prng_below(&b->prng, count / m->block);
}

void sim_natbox_fini(struct sim_natbox *b)
{
    sim_natmap_fini(&b->map);
    om_lru_fini(&b->blocks);
}

void sim_natbox_flush(struct sim_natbox *b)
{
    sim_natmap_expire(&b->map, OM_NEVER - 1);
}

bool sim_natbox_is_outside(const struct sim_natbox *b, const struct om_addr *a)
{
    return memcmp(a->ip, b->outside.ip, sizeof a->ip) == 0;
}

static void refresh(const struct sim_natbox *b, struct sim_nat_entry *e, om_time now)
{
    sim_natmap_extend(e, now + (e->is_answered ? b->model.answered : b->model.timeout));
}

/* A port for what leaves; @dest: the destinations it is for. */
static enum sim_nat_answer map_add(struct sim_natbox *b, const struct sim_nat_packet *p,
                                   const struct om_addr *dest, struct sim_nat_mapping **out)
{
    if (sim_natmap_is_full(&b->map))
        return SIM_NAT_FULL;
    uint16_t port = sim_natport_choose(b, &p->from, dest, &p->to);
    if (port == 0)
        return SIM_NAT_NO_PORT;
    *out = sim_natmap_add(&b->map, &p->from, dest, port);
    return SIM_NAT_OUT;
}

/* Has the socket's latest flow moved, so that this one follows? @m: its mapping if not. */
static bool follows(const struct sim_natbox *b, const struct sim_nat_packet *p,
                    const struct sim_nat_mapping *m)
{
    struct om_addr remote = sim_nat_cut(&p->to, b->model.filtering);
    const struct sim_nat_mapping *latest = sim_natmap_latest(&b->map, &p->from);

    if (!b->model.is_sticky || !latest || latest->dest.port == 0)
        return false;
    if (m && (m->dest.port != 0 || sim_natmap_leave(&b->map, m, &remote)))
        return false;
    return sim_natport_is_usable(b, latest->port, &p->to, &p->to);
}

/* The mapping for what leaves, with leave for whom it goes to. */
static enum sim_nat_answer map_out(struct sim_natbox *b, om_time now,
                                   const struct sim_nat_packet *p, struct sim_nat_mapping **out)
{
    struct om_addr dest = sim_nat_cut(&p->to, b->model.mapping);
    struct om_addr remote = sim_nat_cut(&p->to, b->model.filtering);
    struct sim_nat_mapping *m = sim_natmap_find(&b->map, &p->from, &p->to);

    if (!m)
        m = sim_natmap_find(&b->map, &p->from, &dest);
    if (follows(b, p, m) || (m && sim_natmap_claim(&b->map, m->port, &p->to))) {
        m = NULL; /* this flow has another port */
        dest = p->to;
    }
    if (!m) {
        enum sim_nat_answer a = map_add(b, p, &dest, &m);
        if (a != SIM_NAT_OUT)
            return a;
    }
    *out = m;
    struct sim_nat_entry *leave = sim_natmap_leave(&b->map, m, &remote);
    if (!leave)
        return sim_natmap_leave_add(&b->map, m, &remote, now + b->model.timeout) ? SIM_NAT_OUT
                                                                                 : SIM_NAT_FULL;
    if (b->model.refresh != SIM_NAT_BY_IN)
        refresh(b, leave, now);
    return SIM_NAT_OUT;
}

/* Through which mapping, and by whose leave, @p would come in; NULL: not at all. */
static struct sim_nat_entry *leave_in(const struct sim_natbox *b, const struct sim_nat_packet *p)
{
    struct om_addr remote = sim_nat_cut(&p->from, b->model.filtering);
    const struct sim_nat_mapping *m = sim_natmap_covering(&b->map, p->to.port, &p->from);
    struct sim_nat_entry *leave = m ? sim_natmap_leave(&b->map, m, &remote) : NULL;

    if (leave || b->model.filtering >= b->model.mapping)
        return leave;
    /* A mapping made for others lets this one in as well: the oldest does. */
    const struct om_list *list = sim_natmap_on(&b->map, p->to.port);
    for (struct om_link *l = list ? om_list_first(list) : NULL; l && !leave;
         l = om_list_next(list, l))
        leave =
            sim_natmap_leave(&b->map, OM_CONTAINER_OF(l, struct sim_nat_mapping, link), &remote);
    return leave;
}

/* Not asked for. @is_own: sent from the inside, so no claim comes of it. */
static enum sim_nat_answer refuse(struct sim_natbox *b, om_time now, const struct sim_nat_packet *p,
                                  bool is_own)
{
    if (b->model.is_claiming && !is_own)
        return sim_natmap_claim_add(&b->map, p->to.port, &p->from, now + b->model.timeout)
                   ? SIM_NAT_CLAIMED
                   : SIM_NAT_FULL;
    return sim_natmap_on(&b->map, p->to.port) ? SIM_NAT_FILTERED : SIM_NAT_UNKNOWN;
}

static enum sim_nat_answer come_in(struct sim_natbox *b, om_time now, struct sim_nat_packet *p,
                                   bool is_own)
{
    struct sim_nat_entry *claim = sim_natmap_claim(&b->map, p->to.port, &p->from);

    if (claim) {
        sim_natmap_extend(claim, now + b->model.timeout);
        return SIM_NAT_CLAIMED;
    }
    struct sim_nat_entry *leave = leave_in(b, p);
    if (!leave)
        return refuse(b, now, p, is_own);
    if (p->ttl <= 1 && !is_own)
        return SIM_NAT_EXPIRED;
    leave->is_answered = true;
    if (b->model.refresh != SIM_NAT_BY_OUT)
        refresh(b, leave, now);
    p->to = leave->mapping->inside;
    p->ttl -= !is_own; /* one that turned round has been charged */
    return SIM_NAT_IN;
}

static enum sim_nat_answer go_out(struct sim_natbox *b, om_time now, struct sim_nat_packet *p)
{
    bool turns = sim_natbox_is_outside(b, &p->to);
    struct sim_nat_mapping *m = NULL;

    if (b->model.is_blocked)
        return SIM_NAT_BLOCKED;
    if (turns && !b->model.is_hairpin)
        return SIM_NAT_NO_HAIRPIN;
    if (p->ttl <= 1)
        return SIM_NAT_EXPIRED;
    enum sim_nat_answer a = map_out(b, now, p, &m);
    if (a != SIM_NAT_OUT)
        return a;
    p->from = b->outside;
    p->from.port = m->port;
    p->ttl--;
    return turns ? come_in(b, now, p, true) : SIM_NAT_OUT;
}

enum sim_nat_answer sim_natbox_outbound(struct sim_natbox *b, om_time now, struct sim_nat_packet *p)
{
    sim_natmap_expire(&b->map, now);
    enum sim_nat_answer a = go_out(b, now, p);
    b->counts[a]++;
    return a;
}

enum sim_nat_answer sim_natbox_inbound(struct sim_natbox *b, om_time now, struct sim_nat_packet *p)
{
    enum sim_nat_answer a = SIM_NAT_BLOCKED;

    sim_natmap_expire(&b->map, now);
    if (!b->model.is_blocked)
        a = come_in(b, now, p, false);
    b->counts[a]++;
    return a;
}

bool sim_natbox_peek(const struct sim_natbox *b, const struct sim_nat_packet *p,
                     struct om_addr *out)
{
    const struct sim_nat_entry *leave = leave_in(b, p);

    if (leave)
        *out = leave->mapping->inside;
    return leave != NULL;
}

const char *sim_nat_answer_name(enum sim_nat_answer a)
{
    static const char *const names[SIM_NAT_ANSWERS] = {
        "out",  "in",      "blocked", "no_hairpin", "expired",
        "full", "no_port", "unknown", "filtered",   "claimed",
    };

    return (unsigned)a < SIM_NAT_ANSWERS ? names[a] : "?";
}
