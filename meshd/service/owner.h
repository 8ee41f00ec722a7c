/*
 * owner.h - what the owner of this machine asks and says about who may have machines here
 *
 * What:  the rules of filters.json shown, changed and tried out, what is known of peers, and the
 *        requests that wait for the owner's word.
 * Why:   as JSON, for whoever shows it; what it means is in vm/core.
 *
 * Full: as vm/core/filter.h and vm/core/approvals.h say.
 */
#ifndef OM_SERVICE_OWNER_H
#define OM_SERVICE_OWNER_H

#include <jansson.h>

#include "state.h"

/** owner_filters() - the rules of @s, a new reference; a file that was wrong is read again. NULL
 *  and @err when it still is. */
json_t *owner_filters(struct vms *s, struct om_error *err);

/** owner_filter_add() - @rule, as in filters.json, before that called @before, or last, in @s; the
 *  rules, or NULL and @err. */
json_t *owner_filter_add(struct vms *s, const json_t *rule, const char *before,
                         struct om_error *err);

/** owner_filter_remove() - the rule @name of @s goes; the rules, or NULL and @err. */
json_t *owner_filter_remove(struct vms *s, const char *name, struct om_error *err);

/** owner_filter_default() - what is done in @s when no rule holds, by its name @then; the rules, or
 *  NULL and @err. */
json_t *owner_filter_default(struct vms *s, const char *then, struct om_error *err);

/**
 * owner_filter_test() - what the rules would say
 * @s:        the hub
 * @network:  of the one who would ask
 * @peer:     who would
 * @spec:     for what, as in a request
 * @more:     "at", "address" and "reputation", each in the place of what is so now
 * @err:      what makes no sense, in a sentence
 *
 * Return: verdict, rule, text, and what was asked; NULL and @err.
 */
json_t *owner_filter_test(struct vms *s, const struct om_id *network, const struct om_id *peer,
                          const json_t *spec, const json_t *more, struct om_error *err);

/** owner_reputation() - peers of @s and what they are worth, a new reference. */
json_t *owner_reputation(const struct vms *s);

/** owner_approvals() - the requests to @s that wait, oldest first, a new reference. */
json_t *owner_approvals(const struct vms *s);

/** owner_decide() - the word on request @name of @s, its id or the start of it: @is_allowed; what
 *  was decided, or NULL and @err. */
json_t *owner_decide(struct vms *s, const char *name, bool is_allowed, struct om_error *err);

/** owner_trouble() - what is wrong with the files of @s, or "". */
const char *owner_trouble(const struct vms *s);

#endif
