/*
 * link_account.h - what goes over a link, by whom with whom
 *
 * What:  packets and bytes of each pair of ends, both ways, and when they were first and last seen.
 * Why:   who provides a machine must be able to see what it does; the guard remembers only what it
 *        needs to judge, and nothing of what is for the link's own address.
 * Keeps: link_account_counts_both_ways; link_account_counts_one_in_some;
 *        link_account_samples_each_way; link_account_full_forgets_the_silent;
 *        link_account_leaves_what_is_no_packet.
 *
 * Full: LINK_ACCOUNT_MAX flows; the one that was silent for longest gives way.
 */
#ifndef OM_LINKS_LINK_ACCOUNT_H
#define OM_LINKS_LINK_ACCOUNT_H

#include <jansson.h>

#include <omerta/bytes.h>
#include <omerta/lru.h>
#include <omerta/time.h>

enum {
    LINK_ACCOUNT_MAX = 1024,
    LINK_ACCOUNT_SHOWN = 64, /* of them, in an answer: those used last */
    LINK_SAMPLE = 16         /* of so many packets one is looked at, where not all are */
};

enum link_way { LINK_SENT, LINK_GOT, LINK_WAYS }; /* by what is behind the link */

/* Read freely; write only through link_account_*(). */
struct link_account {
    struct om_lru flows;
    unsigned sample;        /* one in so many is counted, for all of them */
    unsigned at[LINK_WAYS]; /* each way by itself: data and what acknowledges it go in step */
    bool is_ether;
    uint64_t forgotten; /* flows that gave way */
};

/** link_account_init() - @a counts one in @sample packets (1: each), in frames when @is_ether;
 *  keyed with @key. */
void link_account_init(struct link_account *a, unsigned sample, bool is_ether,
                       const uint8_t key[static 16]);

/** link_account_fini() - release @a, which may be zeroed. */
void link_account_fini(struct link_account *a);

/** link_account_count() - @frame went @way at @now. Return: whether @a looked at it: not one of
 *  those that stand for others. */
bool link_account_count(struct link_account *a, om_time now, enum link_way way,
                        struct om_bytes frame);

/** link_account_rows() - up to LINK_ACCOUNT_SHOWN flows of @a as of @now, those used last first; a
 *  new reference. */
json_t *link_account_rows(const struct link_account *a, om_time now);

#endif
