/*
 * relay_select.h - which relays a node keeps a session with, before it needs them
 *
 * What:  of the nodes that say they relay, keeps OM_RELAYS_WARM in use: those that answer fast and
 *        do not refuse, no two of them in one network block; and moves when one goes.
 * Why:   a lane must be there in one round trip when a direct path is not, and one relay that dies,
 *        fills up or lies must not take a node off the net.
 * Keeps: select_takes_the_two_nearest; select_wants_two_blocks; select_moves_when_one_dies;
 *        select_leaves_one_that_refuses; select_does_not_flap; select_is_bounded;
 *        select_takes_what_there_is; select_asks_the_busy_last.
 *
 * Score: smoothed RTT, and OM_RELAY_REFUSAL_MS for each refusal, half of which is forgotten every
 * OM_RELAY_FORGET_S; one whose RTT is not known counts as OM_RELAY_UNKNOWN_MS. A relay in use is
 * left for another only when that is better by a quarter and OM_RELAY_GAIN_MS, and at most one in
 * OM_RELAY_DWELL_S. One that could not be reached rests for OM_RELAY_REST_S, doubled to an hour.
 *
 * Full: OM_RELAYS_KNOWN_MAX candidates: the worst that is not in use gives way to a new one.
 *
 * Source: PROTOCOL section 6.
 */
#ifndef OM_RELAY_RELAY_SELECT_H
#define OM_RELAY_RELAY_SELECT_H

#include <stdbool.h>

#include <omerta/addr.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum {
    OM_RELAYS_WARM = 2,
    OM_RELAYS_KNOWN_MAX = 32,
    OM_RELAY_UNKNOWN_MS = 200,
    OM_RELAY_REFUSAL_MS = 50,
    OM_RELAY_REFUSALS_MAX = 20, /* that count */
    OM_RELAY_FORGET_S = 60,
    OM_RELAY_BUSY_S = 10, /* after a refusal it is asked last */
    OM_RELAY_GAIN_MS = 10,
    OM_RELAY_DWELL_S = 60,
    OM_RELAY_TRY_S = 10,  /* until one that we want has to be there */
    OM_RELAY_REST_S = 30, /* after it was not; doubled each time */
    OM_RELAY_REST_MAX_S = 3600
};

enum om_relay_use { OM_RELAY_SPARE, OM_RELAY_TRIED, OM_RELAY_WARM };

struct om_relay_choice {
    struct om_id id;
    struct om_addr addr;
    enum om_relay_use use;
    bool has_rtt;
    om_time rtt;
    unsigned refusals; /* thousandths, as of @refused_at */
    om_time refused_at;
    om_time since; /* of its use */
    om_time rest_until;
    unsigned failures; /* in a row */
};

/* Read freely; write only through om_relay_select_*(). */
struct om_relay_select {
    struct om_relay_choice known[OM_RELAYS_KNOWN_MAX];
    unsigned count;
    om_time moved_at; /* a relay that worked was last left for a better one */
    unsigned moves;
};

enum om_relay_select_act {
    OM_RELAY_WANT,   /* keep a session with it, and its NAT open */
    OM_RELAY_RELEASE /* no longer */
};

/** om_relay_select_init() - @s knows nobody, at @now. */
void om_relay_select_init(struct om_relay_select *s, om_time now);

/**
 * om_relay_select_offer() - somebody says that it relays
 * @s:     the choice
 * @now:   time
 * @id:    its key; known already: only the address is taken
 * @addr:  where it is
 */
void om_relay_select_offer(struct om_relay_select *s, om_time now, const struct om_id *id,
                           const struct om_addr *addr);

/** om_relay_select_gone() - @id relays no longer, says @s's caller; it is forgotten. */
void om_relay_select_gone(struct om_relay_select *s, const struct om_id *id);

/** om_relay_select_up() - @s has a session with @id at @now, over no lane. */
void om_relay_select_up(struct om_relay_select *s, om_time now, const struct om_id *id);

/** om_relay_select_down() - @id does not answer @s any more, since @now. */
void om_relay_select_down(struct om_relay_select *s, om_time now, const struct om_id *id);

/** om_relay_select_rtt() - the smoothed RTT of @id is @rtt, as @s learns. */
void om_relay_select_rtt(struct om_relay_select *s, const struct om_id *id, om_time rtt);

/**
 * om_relay_select_score() - how far away a relay is, its load counted in
 * @s:    the choice
 * @now:  time
 * @id:   its key
 * @rtt:  the smoothed RTT; 0: not known
 *
 * Return: the less, the sooner it is asked for a lane. One that refused OM_RELAY_BUSY_S ago or less
 * comes after all that did not.
 */
om_time om_relay_select_score(const struct om_relay_select *s, om_time now, const struct om_id *id,
                              om_time rtt);

/** om_relay_select_is_busy() - did @id refuse @s a lane in the last OM_RELAY_BUSY_S before @now? */
bool om_relay_select_is_busy(const struct om_relay_select *s, om_time now, const struct om_id *id);

/** om_relay_select_refused() - @id refused a lane at @now because it is full, or too busy: @s. */
void om_relay_select_refused(struct om_relay_select *s, om_time now, const struct om_id *id);

/**
 * om_relay_select_next() - what is to be done
 * @s:    the choice; what it asks for is taken for done
 * @now:  time
 * @act:  receives it
 * @id:   of whom
 *
 * Return: true when something is; ask again until false.
 */
bool om_relay_select_next(struct om_relay_select *s, om_time now, enum om_relay_select_act *act,
                          struct om_id *id);

/** om_relay_select_deadline() - when to ask om_relay_select_next() of @s again, seen at @now. */
om_time om_relay_select_deadline(const struct om_relay_select *s, om_time now);

/** om_relay_select_find() - what @s knows of @id, lent until the next call; or NULL. */
const struct om_relay_choice *om_relay_select_find(const struct om_relay_select *s,
                                                   const struct om_id *id);

#endif
