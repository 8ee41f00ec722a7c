/* nat.c - the ring of samples, and verdicts that need more than one word. */
#include "path/nat.h"

#include <string.h>

void om_nat_init(struct om_nat *n, bool is_v6)
{
    *n = (struct om_nat){.is_v6 = is_v6};
}

void om_nat_reset(struct om_nat *n)
{
    struct om_nat was = *n;

    om_nat_init(n, was.is_v6);
    n->generation = was.generation + 1;
    memcpy(n->took, was.took, sizeof n->took);
}

void om_nat_asked(struct om_nat *n, om_time now)
{
    if (n->asked == 0)
        n->asked_since = now;
    n->asked++;
}

void om_nat_heard(struct om_nat *n)
{
    n->asked = 0;
}

static void drop_at(struct om_nat *n, unsigned i)
{
    n->count--;
    memmove(&n->samples[i], &n->samples[i + 1], (n->count - i) * sizeof n->samples[0]);
    memmove(&n->heard[i], &n->heard[i + 1], (n->count - i) * sizeof n->heard[0]);
    n->is_dirty = true;
}

static unsigned count_of(const struct om_nat *n, const struct om_id *peer)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n->count; i++)
        count += om_id_equal(&n->samples[i].peer, peer);
    return count;
}

/* Does sample @i give way before @k? Those of closed sockets go first, then those said long ago. */
static bool is_staler(const struct om_nat *n, unsigned i, unsigned k)
{
    bool a = om_nat_is_nameless(&n->samples[i].local), b = om_nat_is_nameless(&n->samples[k].local);

    return a != b ? a : n->heard[i] < n->heard[k];
}

/* Of those that @peer said (NULL: anybody), the one that gives way. */
static unsigned oldest_of(const struct om_nat *n, const struct om_id *peer)
{
    unsigned oldest = OM_NAT_SAMPLES_MAX;

    for (unsigned i = 0; i < n->count; i++)
        if ((!peer || om_id_equal(&n->samples[i].peer, peer)) &&
            (oldest == OM_NAT_SAMPLES_MAX || is_staler(n, i, oldest)))
            oldest = i;
    return oldest;
}

static void make_room(struct om_nat *n, const struct om_id *peer)
{
    unsigned most = 0, loudest = 0;

    if (count_of(n, peer) >= OM_NAT_PER_PEER_MAX)
        drop_at(n, oldest_of(n, peer));
    if (n->count < OM_NAT_SAMPLES_MAX)
        return;
    for (unsigned i = 0; i < n->count; i++) {
        unsigned c = count_of(n, &n->samples[i].peer);
        if (c > most) {
            most = c;
            loudest = i;
        }
    }
    drop_at(n, most > 1 ? oldest_of(n, &n->samples[loudest].peer) : oldest_of(n, NULL));
}

static void put(struct om_nat *n, const struct om_nat_sample *s, om_time now)
{
    unsigned at = n->count;

    while (at > 0 && n->samples[at - 1].at > s->at)
        at--;
    memmove(&n->samples[at + 1], &n->samples[at], (n->count - at) * sizeof n->samples[0]);
    memmove(&n->heard[at + 1], &n->heard[at], (n->count - at) * sizeof n->heard[0]);
    n->samples[at] = *s;
    n->heard[at] = now;
    n->count++;
    n->is_dirty = true;
}

/* Nobody can have seen us there. Loopback may be, from loopback. */
static bool is_nonsense(const struct om_nat_sample *s)
{
    switch (om_addr_classify(&s->seen)) {
    case OM_ADDR_UNSPECIFIED:
    case OM_ADDR_MULTICAST:
    case OM_ADDR_METADATA:
        return true;
    case OM_ADDR_LOOPBACK:
        return om_addr_classify(&s->to) != OM_ADDR_LOOPBACK;
    case OM_ADDR_LINK_LOCAL:
    case OM_ADDR_PRIVATE:
    case OM_ADDR_SHARED:
    case OM_ADDR_RESERVED:
    case OM_ADDR_GLOBAL:
    case OM_ADDR_CLASS_COUNT:
        break;
    }
    return s->seen.port == 0 || (om_addr_is_v4(&s->seen) && s->seen.ip[12] >= 240);
}

static enum om_nat_take take(struct om_nat *n, om_time now, uint32_t generation,
                             const struct om_nat_sample *s)
{
    if (generation != n->generation || s->at > now)
        return OM_NAT_STALE;
    if (om_addr_is_v4(&s->to) == n->is_v6 || om_addr_is_v4(&s->local) == n->is_v6)
        return OM_NAT_FOREIGN;
    if (om_addr_is_v4(&s->seen) == n->is_v6 || is_nonsense(s))
        return OM_NAT_NONSENSE;
    n->asked = 0;
    for (unsigned i = 0; i < n->count; i++) {
        const struct om_nat_sample *old = &n->samples[i];
        if (!om_id_equal(&old->peer, &s->peer) || !om_addr_equal(&old->local, &s->local) ||
            !om_addr_equal(&old->to, &s->to))
            continue;
        if (om_addr_equal(&old->seen, &s->seen)) {
            n->heard[i] = now; /* the same mapping: made when it was */
            return OM_NAT_TAKEN;
        }
        drop_at(n, i);
        break;
    }
    make_room(n, &s->peer);
    put(n, s, now);
    return OM_NAT_TAKEN;
}

enum om_nat_take om_nat_sample(struct om_nat *n, om_time now, uint32_t generation,
                               const struct om_nat_sample *s)
{
    enum om_nat_take t = take(n, now, generation, s);

    n->took[t]++;
    return t;
}

const struct om_nat_fit *om_nat_judge(struct om_nat *n, om_time now)
{
    for (unsigned i = n->count; i-- > 0;)
        if (n->heard[i] + OM_SEC(OM_NAT_SAMPLE_LIFE_S) < now)
            drop_at(n, i);
    if (n->is_dirty || n->fit.class == OM_NAT_DEAD)
        om_nat_fit(&n->fit, n->samples, n->count);
    n->is_dirty = false;
    if (n->asked >= OM_NAT_DEAD_ASKS && now - n->asked_since >= OM_SEC(OM_NAT_DEAD_S))
        n->fit = (struct om_nat_fit){.class = OM_NAT_DEAD, .is_believed = true, .confidence = 90};
    return &n->fit;
}

unsigned om_nat_wants(const struct om_nat *n, om_time now)
{
    unsigned fresh = 0, wanted = OM_NAT_WANTED;

    for (unsigned i = 0; i < n->count; i++)
        fresh += n->heard[i] + OM_SEC(OM_NAT_FRESH_S) >= now;
    if (n->fit.is_believed && (n->fit.class == OM_NAT_OPEN || n->fit.class == OM_NAT_EIM))
        wanted = 3; /* two may be a port and a liar's copy of it */
    return fresh < wanted ? wanted - fresh : 0;
}

bool om_nat_may_be_random(const struct om_nat *n)
{
    unsigned least = UINT16_MAX, most = 0;
    bool is_named = false;

    for (unsigned i = 0; i < n->count; i++) {
        const struct om_nat_sample *s = &n->samples[i];
        bool is_ours = !om_nat_is_nameless(&s->local);
        if (!om_nat_is_one_party(s, &n->samples[0]) || (is_ours && s->seen.port == s->local.port))
            return false;
        is_named |= is_ours;
        least = s->seen.port < least ? s->seen.port : least;
        most = s->seen.port > most ? s->seen.port : most;
    }
    return is_named && n->count >= OM_NAT_PER_PEER_MAX && most - least >= OM_NAT_BLOCK_MAX;
}

void om_nat_tried_filter(struct om_nat *n, const struct om_id *peer, enum om_nat_from from,
                         bool arrived)
{
    struct om_nat_trials *t = &n->from[from];

    if (arrived)
        t->arrived = true;
    else if (om_id_is_zero(&t->missed_by))
        t->missed_by = *peer;
    else if (!om_id_equal(&t->missed_by, peer))
        t->is_missed_twice = true;
}

enum om_nat_filter om_nat_filter(const struct om_nat *n)
{
    const struct om_nat_trials *port = &n->from[OM_FROM_OTHER_PORT],
                               *ip = &n->from[OM_FROM_OTHER_IP];

    if (ip->arrived)
        return OM_FILTER_NONE;
    if (port->arrived)
        return OM_FILTER_ADDRESS;
    return port->is_missed_twice ? OM_FILTER_PORT : OM_FILTER_UNKNOWN;
}

void om_nat_tried_hairpin(struct om_nat *n, bool arrived)
{
    if (arrived)
        n->hairpin = OM_HAIRPIN_YES;
    else if (n->hairpin == OM_HAIRPIN_UNKNOWN && ++n->hairpin_misses >= OM_NAT_HAIRPIN_MISSES)
        n->hairpin = OM_HAIRPIN_NO;
}

void om_nat_hop(struct om_nat *n, unsigned ttl, const struct om_addr *router)
{
    if (ttl == 0 || ttl > OM_NAT_HOPS_MAX)
        return;
    if (om_addr_classify(router) == OM_ADDR_GLOBAL) {
        if (n->hops_outside == 0 || ttl < n->hops_outside)
            n->hops_outside = (uint8_t)ttl;
    } else if (ttl > n->hops_inside) {
        n->hops_inside = (uint8_t)ttl;
    }
}

unsigned om_nat_hops(const struct om_nat *n)
{
    if (n->hops_outside)
        return n->hops_outside;
    return n->hops_inside ? n->hops_inside + 1U : 0;
}
