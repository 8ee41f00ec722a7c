/*
 * nat_share.h - does our NAT use one outside port towards several destinations at a time?
 *
 * What:  counts, over many flows of many sockets, how often two destinations saw the same port.
 * Why:   only then may a block be swept (PROTOCOL section 5), and the few samples that tell a NAT's
 *        class (nat.h) seldom hold a coincidence.
 * Keeps: share_is_shown_by_coincidence; share_missing_is_exclusive; share_takes_three_witnesses;
 *        share_one_liar_shows_nothing; share_counts_a_flow_once; share_full_takes_no_more;
 *        share_range_is_not_one_liars;
 *        punch_model_learns_to_share.
 *
 * Driven by whoever wants to punch from inside a block: fresh sockets send a PING to each of three
 * to eight peers, om_nat_share_flows() in all, and what their PONGs say comes here. If ports are
 * not shared, that is a quarter of the block's mappings at most, for as long as these live.
 *
 * It is believed when some coincidence remains with any one witness left out: a liar can repeat a
 * port that it knows, but it is then in all that it makes up. A witness is as in nat_fit.h.
 *
 * Full: further words, and those of further witnesses, are not taken.
 *
 * Source: RFC 4787 section 4.2.1 (port overloading), RFC 6888.
 */
#ifndef OM_PATH_NAT_SHARE_H
#define OM_PATH_NAT_SHARE_H

#include "path/nat_fit.h"

enum { OM_SHARE_WORDS_MAX = 256, OM_SHARE_WITNESSES_MAX = 8 };

struct om_share_word {
    uint8_t witness;
    uint16_t socket, to, seen; /* ports */
};

/* Read freely; write only through om_nat_reuse_*(). */
struct om_nat_share {
    uint8_t outside[16];
    unsigned witnesses, count;
    struct om_id peers[OM_SHARE_WITNESSES_MAX];
    uint8_t sources[OM_SHARE_WITNESSES_MAX][16];
    struct om_share_word words[OM_SHARE_WORDS_MAX];
};

/** om_nat_share_init() - @r knows nothing yet of the ports of @outside, a fit's address. */
void om_nat_share_init(struct om_nat_share *r, const uint8_t outside[static 16]);

/**
 * om_nat_share_word() - a peer says where it sees one of our sockets
 * @r:  the knowledge
 * @s:  what it says; the same flow again changes nothing
 *
 * Return: true when it was taken.
 */
bool om_nat_share_word(struct om_nat_share *r, const struct om_nat_sample *s);

/** om_nat_share_flows() - how many flows tell it, for a block of @width ports. */
unsigned om_nat_share_flows(unsigned width);

/**
 * om_nat_share_range() - where the block ends, by far more words than a fit has
 * @r:      the knowledge
 * @first:  the lowest port but for what one witness alone says; untouched with less than two
 * @last:   the highest likewise
 *
 * Return: true when they were set.
 */
bool om_nat_share_range(const struct om_nat_share *r, uint16_t *first, uint16_t *last);

/**
 * om_nat_share_judge() - what it means
 * @r:      the knowledge
 * @width:  ports of the block, above 0
 *
 * Return: OM_NAT_EXCLUSIVE when OM_NAT_REUSE_EXPECTED coincidences and more were to be expected,
 * and there was none.
 */
enum om_nat_reuse om_nat_share_judge(const struct om_nat_share *r, unsigned width);

#endif
