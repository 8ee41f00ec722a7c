/*
 * link_gate.h - the guard of one link
 *
 * What:  a netstack guard that lets out TCP and UDP from the link's own addresses, and counts.
 * Why:   whoever is behind a link may not speak in another's name; and the guard's flows and the
 *        stack's are two things with one word for both, so only this file knows the guard.
 * Keeps: link_gate_lets_in_what_is_the_links; link_gate_names_what_it_drops;
 *        link_gate_modes_never_deny_less; link_gate_forgives.
 */
#ifndef OM_LINKS_LINK_GATE_H
#define OM_LINKS_LINK_GATE_H

#include <jansson.h>

#include "links/link_config.h"
#include "netstack/guard/rogue.h"

struct link_gate;

enum { LINK_REASONS_MAX = 16 };

/** link_gate_new() - by @out the gate of a link as @config has it, at @now, keyed with @key (16
 *  secret bytes). Return: OM_OK, OM_E_NO_MEM. */
OM_MUST enum om_err link_gate_new(struct link_gate **out, const struct link_config *config,
                                  om_time now, const uint8_t key[static 16]);

/** link_gate_free() - release @g; NULL is fine. */
void link_gate_free(struct link_gate *g);

/** link_gate_passes() - may @frame of the link go to the stack at @now? Counted in @g if not. */
bool link_gate_passes(struct link_gate *g, om_time now, struct om_bytes frame);

/** link_gate_too_long() - @g counts a frame, at @now, that was too long to be looked at. */
void link_gate_too_long(struct link_gate *g, om_time now);

/** link_gate_alarm() - the highest level that the score of @g reached since this was asked and that
 *  was not told before; OM_ROGUE_NONE. */
enum om_rogue_level link_gate_alarm(struct link_gate *g);

/** link_gate_answer() - @frame goes to the link at @now; @g follows its flows by it. */
void link_gate_answer(struct link_gate *g, om_time now, struct om_bytes frame);

/** link_gate_deadline() - when @g wants link_gate_tick(). */
om_time link_gate_deadline(const struct link_gate *g);

/** link_gate_tick() - forget in @g what is over at @now. */
void link_gate_tick(struct link_gate *g, om_time now);

/** link_gate_forgive() - @g has no score at @now, and tells each level anew. */
void link_gate_forgive(struct link_gate *g, om_time now);

/** link_gate_score() - of @g at @now: how much was refused lately, weighed. */
unsigned link_gate_score(const struct link_gate *g, om_time now);

/** link_gate_refused() - how many of @reason, an enum om_reason below link_gate_reasons(), @g
 *  refused. */
uint64_t link_gate_refused(const struct link_gate *g, unsigned reason);

/** link_gate_refused_all() - how many frames @g refused. */
uint64_t link_gate_refused_all(const struct link_gate *g);

/** link_gate_reasons() - how many there are. */
unsigned link_gate_reasons(void);

/** link_gate_reason() - metric label of @reason. */
const char *link_gate_reason(unsigned reason);

/** link_gate_dropped() - what @g refused, by those reasons that occurred; a new reference. */
json_t *link_gate_dropped(const struct link_gate *g);

#endif
