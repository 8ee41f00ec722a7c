/* natmap.c - the table of a NAT. */
#include "natmap.h"

#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { INSIDE_KEY = 2 * OM_ADDR_WIRE, OUTSIDE_KEY = 2 + OM_ADDR_WIRE };

/* First byte of an entry's key. */
enum { KEY_LEAVE, KEY_CLAIM };

static void table_init(struct om_table *t, size_t key_bytes, unsigned max)
{
    static const uint8_t sip[OM_SIP_KEY]; /* nobody here chooses keys to collide */
    enum om_err e = om_table_init(t, key_bytes, max, sip);

    OM_BUG_IF(e != OM_OK);
}

static void put(struct om_table *t, const void *key, void *value)
{
    enum om_err e = om_table_put(t, key, value);

    OM_BUG_IF(e != OM_OK);
}

void sim_natmap_init(struct sim_natmap *t, unsigned max)
{
    OM_BUG_IF(max == 0 || max > SIM_NAT_ENTRIES_MAX);
    *t = (struct sim_natmap){.max = max};
    table_init(&t->by_inside, INSIDE_KEY, max);
    table_init(&t->by_outside, OUTSIDE_KEY, max);
    table_init(&t->by_port, 2, max);
    table_init(&t->by_socket, OM_ADDR_WIRE, max);
    table_init(&t->entries, SIM_NAT_ENTRY_KEY, max);
    om_timers_init(&t->timers, max);
}

void sim_natmap_fini(struct sim_natmap *t)
{
    sim_natmap_expire(t, OM_NEVER - 1);
    om_timers_fini(&t->timers);
    om_table_fini(&t->by_inside);
    om_table_fini(&t->by_outside);
    om_table_fini(&t->by_port);
    om_table_fini(&t->by_socket);
    om_table_fini(&t->entries);
}

struct om_addr sim_nat_cut(const struct om_addr *a, enum sim_nat_scope scope)
{
    struct om_addr cut = *a;

    if (scope == SIM_NAT_EI)
        memset(cut.ip, 0, sizeof cut.ip);
    if (scope != SIM_NAT_APD)
        cut.port = 0;
    return cut;
}

static void inside_key(uint8_t out[static INSIDE_KEY], const struct om_addr *inside,
                       const struct om_addr *dest)
{
    struct om_wr w = om_wr(om_mut(out, INSIDE_KEY));

    om_addr_write(&w, inside);
    om_addr_write(&w, dest);
}

static void socket_key(uint8_t out[static OM_ADDR_WIRE], const struct om_addr *inside)
{
    struct om_wr w = om_wr(om_mut(out, OM_ADDR_WIRE));

    om_addr_write(&w, inside);
}

static void outside_key(uint8_t out[static OUTSIDE_KEY], uint16_t port, const struct om_addr *dest)
{
    struct om_wr w = om_wr(om_mut(out, OUTSIDE_KEY));

    om_wr_u16(&w, port);
    om_addr_write(&w, dest);
}

static void entry_key(uint8_t out[static SIM_NAT_ENTRY_KEY], uint8_t kind, uint64_t number,
                      const struct om_addr *remote)
{
    struct om_wr w = om_wr(om_mut(out, SIM_NAT_ENTRY_KEY));

    om_wr_u8(&w, kind);
    om_wr_u64(&w, number);
    om_addr_write(&w, remote);
}

bool sim_natmap_is_full(const struct sim_natmap *t)
{
    return om_table_count(&t->entries) >= t->max;
}

struct sim_nat_mapping *sim_natmap_find(const struct sim_natmap *t, const struct om_addr *inside,
                                        const struct om_addr *dest)
{
    uint8_t key[INSIDE_KEY];

    inside_key(key, inside, dest);
    return om_table_find(&t->by_inside, key);
}

struct sim_nat_mapping *sim_natmap_covering(const struct sim_natmap *t, uint16_t port,
                                            const struct om_addr *remote)
{
    static const enum sim_nat_scope narrowest_first[] = {SIM_NAT_APD, SIM_NAT_AD, SIM_NAT_EI};
    struct sim_nat_mapping *m = NULL;

    for (unsigned i = 0; i < 3 && !m; i++) {
        struct om_addr dest = sim_nat_cut(remote, narrowest_first[i]);
        uint8_t key[OUTSIDE_KEY];
        outside_key(key, port, &dest);
        m = om_table_find(&t->by_outside, key);
    }
    return m;
}

struct om_list *sim_natmap_on(const struct sim_natmap *t, uint16_t port)
{
    return om_table_find(&t->by_port, &port);
}

/* Could a datagram be for the one as well as for the other? */
static bool overlap(const struct om_addr *a, const struct om_addr *b)
{
    static const uint8_t any[16];

    if (memcmp(a->ip, any, 16) == 0 || memcmp(b->ip, any, 16) == 0)
        return true;
    return memcmp(a->ip, b->ip, 16) == 0 && (a->port == b->port || a->port == 0 || b->port == 0);
}

bool sim_natmap_is_free(const struct sim_natmap *t, uint16_t port, const struct om_addr *dest,
                        bool exclusive)
{
    const struct om_list *list = sim_natmap_on(t, port);

    if (!list || exclusive)
        return !list;
    if (dest->port != 0) /* not cut: no need to look at all of them */
        return !sim_natmap_covering(t, port, dest);
    for (struct om_link *l = om_list_first(list); l; l = om_list_next(list, l))
        if (overlap(&OM_CONTAINER_OF(l, struct sim_nat_mapping, link)->dest, dest))
            return false;
    return true;
}

/* The list under @key, made if need be. */
static struct om_list *list_of(struct om_table *t, const void *key)
{
    struct om_list *list = om_table_find(t, key);

    if (!list) {
        list = sim_alloc(sizeof *list);
        om_list_init(list);
        put(t, key, list);
    }
    return list;
}

struct sim_nat_mapping *sim_natmap_latest(const struct sim_natmap *t, const struct om_addr *inside)
{
    uint8_t key[OM_ADDR_WIRE];

    socket_key(key, inside);
    const struct om_list *list = om_table_find(&t->by_socket, key);
    return list ? OM_CONTAINER_OF(list->head.prev, struct sim_nat_mapping, by_in) : NULL;
}

struct sim_nat_mapping *sim_natmap_add(struct sim_natmap *t, const struct om_addr *inside,
                                       const struct om_addr *dest, uint16_t port)
{
    struct sim_nat_mapping *m = sim_alloc(sizeof *m);
    uint8_t key[INSIDE_KEY];

    *m = (struct sim_nat_mapping){
        .serial = ++t->serial, .inside = *inside, .dest = *dest, .port = port};
    inside_key(key, inside, dest);
    put(&t->by_inside, key, m);
    outside_key(key, port, dest);
    put(&t->by_outside, key, m);
    om_list_push_back(list_of(&t->by_port, &port), &m->link);
    socket_key(key, inside);
    om_list_push_back(list_of(&t->by_socket, key), &m->by_in);
    return m;
}

/* @link leaves the list under @key, which ends with its last one. */
static void unlist(struct om_table *t, const void *key, struct om_link *link)
{
    om_list_remove(link);
    if (om_list_is_empty(om_table_find(t, key)))
        free(om_table_remove(t, key));
}

static void forget(struct sim_natmap *t, struct sim_nat_mapping *m)
{
    uint8_t key[INSIDE_KEY];

    inside_key(key, &m->inside, &m->dest);
    om_table_remove(&t->by_inside, key);
    outside_key(key, m->port, &m->dest);
    om_table_remove(&t->by_outside, key);
    unlist(&t->by_port, &m->port, &m->link);
    socket_key(key, &m->inside);
    unlist(&t->by_socket, key, &m->by_in);
    free(m);
}

void sim_natmap_expire(struct sim_natmap *t, om_time now)
{
    struct om_timer *timer;

    while ((timer = om_timers_pop(&t->timers, now)) != NULL) {
        struct sim_nat_entry *e = OM_CONTAINER_OF(timer, struct sim_nat_entry, timer);
        om_table_remove(&t->entries, e->key);
        if (e->mapping && --e->mapping->leaves == 0)
            forget(t, e->mapping);
        free(e);
    }
}

static struct sim_nat_entry *entry_find(const struct sim_natmap *t, uint8_t kind, uint64_t number,
                                        const struct om_addr *remote)
{
    uint8_t key[SIM_NAT_ENTRY_KEY];

    entry_key(key, kind, number, remote);
    return om_table_find(&t->entries, key);
}

static struct sim_nat_entry *entry_add(struct sim_natmap *t, uint8_t kind, uint64_t number,
                                       const struct om_addr *remote, om_time until)
{
    struct sim_nat_entry *e;

    if (sim_natmap_is_full(t))
        return NULL;
    e = sim_alloc(sizeof *e);
    e->owner = t;
    entry_key(e->key, kind, number, remote);
    put(&t->entries, e->key, e);
    sim_natmap_extend(e, until);
    return e;
}

struct sim_nat_entry *sim_natmap_leave(const struct sim_natmap *t, const struct sim_nat_mapping *m,
                                       const struct om_addr *remote)
{
    return entry_find(t, KEY_LEAVE, m->serial, remote);
}

bool sim_natmap_leave_add(struct sim_natmap *t, struct sim_nat_mapping *m,
                          const struct om_addr *remote, om_time until)
{
    struct sim_nat_entry *e = entry_add(t, KEY_LEAVE, m->serial, remote, until);

    if (!e)
        return false;
    e->mapping = m;
    m->leaves++;
    return true;
}

struct sim_nat_entry *sim_natmap_claim(const struct sim_natmap *t, uint16_t port,
                                       const struct om_addr *remote)
{
    return entry_find(t, KEY_CLAIM, port, remote);
}

bool sim_natmap_claim_add(struct sim_natmap *t, uint16_t port, const struct om_addr *remote,
                          om_time until)
{
    return entry_add(t, KEY_CLAIM, port, remote, until) != NULL;
}

void sim_natmap_extend(struct sim_nat_entry *e, om_time until)
{
    enum om_err err = om_timer_arm(&e->owner->timers, &e->timer, until);

    OM_BUG_IF(err != OM_OK);
}
