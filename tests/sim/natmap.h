/*
 * natmap.h - what a NAT remembers: mappings, who may answer through them, and what it took itself
 *
 * What:  mappings from an inside endpoint, towards some destinations, to an outside port; leave for
 *        remotes to answer through one; claims, which are remotes whose datagrams the box took for
 *        itself. Leave and claims end by time, a mapping with the last leave through it.
 * Why:   which port is chosen and which datagram passes are then rules (natport.h, natbox.h) over
 *        one table with one bound, as conntrack is.
 * Keeps: natmap_matches_a_naive_one; natbox_full_table_refuses_the_new.
 *
 * A destination is cut to a scope: all of it, its IP with port 0, or nothing at all (zeroes).
 *
 * Full: leave and claims together are at most what sim_natmap_init() was told, and
 * sim_natmap_leave_add() and sim_natmap_claim_add() then refuse.
 */
#ifndef SIM_NATMAP_H
#define SIM_NATMAP_H

#include <omerta/addr.h>
#include <omerta/list.h>
#include <omerta/table.h>
#include <omerta/timers.h>

enum { SIM_NAT_ENTRIES_MAX = 1 << 18, SIM_NAT_ENTRY_KEY = 27 };

/* How much of a remote address matters (RFC 4787 sections 4.1 and 5). */
enum sim_nat_scope {
    SIM_NAT_EI, /* endpoint-independent: nothing of it */
    SIM_NAT_AD, /* address-dependent: its IP */
    SIM_NAT_APD /* address- and port-dependent: all of it */
};

struct sim_nat_mapping {
    struct om_link link;  /* among those of its port, oldest first */
    struct om_link by_in; /* among those of its inside endpoint, oldest first */
    uint64_t serial;
    struct om_addr inside, dest; /* dest: cut */
    uint16_t port;
    unsigned leaves; /* at least 1 once it is in use; at 0 the mapping ends */
};

/* Leave for a remote, or a claim. */
struct sim_nat_entry {
    struct om_timer timer;
    struct sim_natmap *owner;
    struct sim_nat_mapping *mapping; /* NULL: a claim */
    bool is_answered;
    uint8_t key[SIM_NAT_ENTRY_KEY];
};

/* Read freely; write only through sim_natmap_*(). */
struct sim_natmap {
    struct om_table by_inside;  /* inside endpoint, destination -> mapping */
    struct om_table by_outside; /* port, destination -> mapping */
    struct om_table by_port;    /* port -> list of mappings */
    struct om_table by_socket;  /* inside endpoint -> list of mappings */
    struct om_table entries;
    struct om_timers timers;
    uint64_t serial;
    unsigned max;
};

/** sim_natmap_init() - @t, empty, for @max leaves and claims, 1 to SIM_NAT_ENTRIES_MAX. */
void sim_natmap_init(struct sim_natmap *t, unsigned max);

/** sim_natmap_fini() - release all of @t. */
void sim_natmap_fini(struct sim_natmap *t);

/** sim_natmap_expire() - @t forgets what ends at @now or before. */
void sim_natmap_expire(struct sim_natmap *t, om_time now);

/** sim_nat_cut() - as much of @a as @scope looks at. */
struct om_addr sim_nat_cut(const struct om_addr *a, enum sim_nat_scope scope);

/** sim_natmap_is_full() - true when @t takes neither leave nor claim. */
bool sim_natmap_is_full(const struct sim_natmap *t);

/** sim_natmap_find() - the mapping in @t of @inside towards exactly @dest; NULL for none. */
struct sim_nat_mapping *sim_natmap_find(const struct sim_natmap *t, const struct om_addr *inside,
                                        const struct om_addr *dest);

/** sim_natmap_covering() - the mapping in @t at @port made for @remote; the narrowest; or NULL. */
struct sim_nat_mapping *sim_natmap_covering(const struct sim_natmap *t, uint16_t port,
                                            const struct om_addr *remote);

/** sim_natmap_on() - the mappings of @t at @port, oldest first; NULL for none. */
struct om_list *sim_natmap_on(const struct sim_natmap *t, uint16_t port);

/** sim_natmap_latest() - the mapping of @inside in @t that was made last; NULL for none. */
struct sim_nat_mapping *sim_natmap_latest(const struct sim_natmap *t, const struct om_addr *inside);

/**
 * sim_natmap_is_free() - could a mapping have a port
 * @t:          the table
 * @port:       outside port
 * @dest:       the mapping's destinations
 * @exclusive:  not if there is any other at @port; else only not if one's destinations overlap
 *
 * Return: true when it could.
 */
bool sim_natmap_is_free(const struct sim_natmap *t, uint16_t port, const struct om_addr *dest,
                        bool exclusive);

/**
 * sim_natmap_add() - another mapping; give it leave at once
 * @t:       the table, which is not full
 * @inside:  endpoint
 * @dest:    cut; @inside has none for it yet
 * @port:    outside port
 *
 * Return: the mapping, owned by @t.
 */
struct sim_nat_mapping *sim_natmap_add(struct sim_natmap *t, const struct om_addr *inside,
                                       const struct om_addr *dest, uint16_t port);

/** sim_natmap_leave() - what @t knows of leave for @remote, cut, to answer through @m; or NULL. */
struct sim_nat_entry *sim_natmap_leave(const struct sim_natmap *t, const struct sim_nat_mapping *m,
                                       const struct om_addr *remote);

/**
 * sim_natmap_leave_add() - let a remote answer
 * @t:       the table
 * @m:       through this mapping
 * @remote:  cut; has no leave yet
 * @until:   when it ends
 *
 * Return: false when @t is full.
 */
bool sim_natmap_leave_add(struct sim_natmap *t, struct sim_nat_mapping *m,
                          const struct om_addr *remote, om_time until);

/** sim_natmap_claim() - the claim in @t on what @remote sends to @port; NULL for none. */
struct sim_nat_entry *sim_natmap_claim(const struct sim_natmap *t, uint16_t port,
                                       const struct om_addr *remote);

/**
 * sim_natmap_claim_add() - the box takes for itself what a remote sends
 * @t:       the table
 * @port:    to this outside port
 * @remote:  has no claim on it yet
 * @until:   when it ends
 *
 * Return: false when @t is full.
 */
bool sim_natmap_claim_add(struct sim_natmap *t, uint16_t port, const struct om_addr *remote,
                          om_time until);

/** sim_natmap_extend() - @e ends at @until now. */
void sim_natmap_extend(struct sim_nat_entry *e, om_time until);

#endif
