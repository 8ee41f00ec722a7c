/*
 * link_kept.h - the connections of a card, kept in a file for the daemon that comes next
 *
 * What:  a slot of a file for each connection that stands, with both its ends. Whoever opens the
 *        file later asks the card about each that was left there, and resets those that it has.
 * Why:   a daemon that is killed takes its stack with it, but not the machine: what only reads
 *        there would wait for ever. The number that a reset must have only the machine knows, and
 *        it tells it to who sends a segment that cannot be right.
 * Keeps: link_kept_resets_what_was_left; link_kept_is_for_both_families;
 *        link_kept_leaves_what_ended; link_kept_leaves_what_begins_anew;
 *        link_kept_asks_a_few_times; link_kept_reads_nothing_strange; link_kept_is_bounded;
 *        link_kept_opens_no_flow_in_the_gate.
 * Full:  a connection more than LINK_KEPT_MAX is not kept.
 *
 * The file is written by pwrite(), not mapped: what was written outlives a SIGKILL all the same,
 * and a full disk, or a file that another made shorter, is no signal to the daemon.
 *
 *        in the file        link_kept_start()          answer of the card
 *   LEFT ----------> LEFT ------------------> asked ---------------------> reset, free
 *                                               | LINK_KEPT_ROUNDS, SYN, RST
 *                                               +-------------------------> free
 *
 * Source: RFC 9293 section 3.10.7.4 (a segment out of the window is answered); RFC 5961 section 3.2
 *         (a reset has exactly the number that is expected).
 */
#ifndef OM_LINKS_LINK_KEPT_H
#define OM_LINKS_LINK_KEPT_H

#include <omerta/err.h>
#include <omerta/time.h>

#include "links/link_config.h"

enum {
    LINK_KEPT_MAX = 1024 + 256, /* LINK_TCP_MAX and LINK_INWARD_MAX */
    LINK_KEPT_SLOT = 40,        /* bytes */
    LINK_KEPT_FRAME = 128,      /* room for a frame of ours */
    LINK_KEPT_BURST = 64,       /* frames in one go */
    LINK_KEPT_PACE_MS = 10,     /* between these */
    LINK_KEPT_ROUNDS = 4,       /* then what did not answer is forgotten */
    LINK_KEPT_ROUND_MS = 1000   /* above the 500 ms for which Linux answers one socket once */
};

struct link_kept;

/**
 * link_kept_open() - the file of a link of Ethernet
 * @out:     receives it
 * @path:    made when there is none
 * @config:  MACs and addresses of the link
 * @err:     sentence for a person
 *
 * Return: false and @err.
 */
bool link_kept_open(struct link_kept **out, const char *path, const struct link_config *config,
                    struct om_error *err);

/** link_kept_close() - let go of *@k, which is NULL then; what is in its file stays. */
void link_kept_close(struct link_kept **k);

/** link_kept_put() - a connection of @k stands, from @here, our end, to @there. Return: its slot
 *  for link_kept_clear(), never 0; 0: it is not kept. A @k that is NULL keeps none. */
unsigned link_kept_put(struct link_kept *k, const struct om_addr *here,
                       const struct om_addr *there);

/** link_kept_clear() - the connection in @slot of @k has ended; @slot 0 and a NULL @k are fine. */
void link_kept_clear(struct link_kept *k, unsigned slot);

/** link_kept_left() - how many of an earlier daemon's are in @k. */
unsigned link_kept_left(const struct link_kept *k);

/** link_kept_start() - @k may ask from @now on; NULL is fine. */
void link_kept_start(struct link_kept *k, om_time now);

/** link_kept_deadline() - when @k, which may be NULL, wants link_kept_tick(). */
om_time link_kept_deadline(const struct link_kept *k);

/** link_kept_tick() - the next frame for the card at @now, made in @room (LINK_KEPT_FRAME bytes);
 *  empty: no more now. @k is not NULL. */
struct om_bytes link_kept_tick(struct link_kept *k, om_time now, struct om_mut room);

/**
 * link_kept_input() - a frame of the card's, before anybody else has it
 * @k:       may be NULL
 * @frame:   anything
 * @room:    LINK_KEPT_FRAME bytes
 * @answer:  receives a frame for the card, in @room; or empty
 *
 * Return: true when it was of a connection that was left: it is for nobody else.
 */
bool link_kept_input(struct link_kept *k, struct om_bytes frame, struct om_mut room,
                     struct om_bytes *answer);

#endif
