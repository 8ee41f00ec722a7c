/*
 * health.h - how a peer says it is
 *
 * What:  writes and reads the answer to health.status.
 * Why:   the figures are a peer's word: each is checked by itself, and one that cannot be is
 *        unknown instead of believed; the others still count.
 * Keeps: health_round_trips; health_absurd_figures_are_unknown; health_keeps_unknown_members.
 *
 * Words (plans/services.md): health.status {} -> {version, uptime_s, peers, sessions, metrics}.
 */
#ifndef OM_SERVICE_HEALTH_H
#define OM_SERVICE_HEALTH_H

#include <jansson.h>

#include <omerta/service.h>

/**
 * om_health_encode() - the answer to health.status
 * @s:        own figures; unknown ones are left out
 * @metrics:  an object of whatever else is worth telling; taken; NULL for none
 *
 * Return: the answer, owned by the caller; NULL when memory is out.
 */
json_t *om_health_encode(const struct om_health_status *s, json_t *metrics);

/**
 * om_health_decode() - the figures of a peer's answer
 * @ok:   an object, borrowed; metrics and whatever else it holds stay in it for who wants them
 * @out:  filled in any case
 */
void om_health_decode(const json_t *ok, struct om_health_status *out);

#endif
