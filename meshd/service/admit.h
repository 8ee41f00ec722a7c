/*
 * admit.h - may this one have a machine: rules, the owner's word, room
 *
 * What:  what is asked before anything is paid for a request: the rules of filters.json, the owner
 *        where a rule says so, and whether there is room, which the owner's own machines may take
 *        from others; and what became of each peer's machines, for the rules to ask.
 * Why:   an answer must cost nothing, name its reason, and be the same whoever asks.
 *
 * A machine that waits for the owner, or for room, is "requested" and on hold: it has no
 * reservation, no folder and no row in the ledger, so that a restart of the daemon forgets it.
 *
 * Files, of HOME: filters.json, read at the start; one that makes no sense refuses everybody but
 * the owner until it is mended. reputation.json, written after each outcome; one that makes no
 * sense is left alone, and everybody is unknown.
 *
 * Full: OM_VM_APPROVALS_MAX requests wait for the owner, OM_VM_APPROVALS_PEER of one peer, and each
 * network of this node has a share of them. A peer
 * that asks faster than vm/core/pace.h has it is refused, and its reputation suffers, once.
 */
#ifndef OM_SERVICE_ADMIT_H
#define OM_SERVICE_ADMIT_H

#include "service/vms.h"
#include "vm/core/admission.h"
#include "vm/core/approvals.h"
#include "vm/core/pace.h"
#include "vm/core/quota.h"
#include "vm/core/reputation.h"

enum {
    ADMIT_WAIT_S = 600, /* for the owner's word; less when the request has less time */
    ADMIT_ROOM_S = 150  /* for others' machines to end: their shutdown, and the wiping */
};

/* What a machine that is "requested" waits for. */
enum admit_hold { ADMIT_GO, ADMIT_ASKED, ADMIT_ROOM };

struct service_vm;

struct admit {
    struct om_vm_filter filter;
    struct om_vm_reputation reputation;
    struct om_vm_approvals approvals;
    struct om_vm_pace pace;
    bool has_file;                  /* filters.json; without one the rules let everybody in */
    char bad[OM_ERROR_MSG_MAX];     /* what is wrong with it, or "" */
    char unknown[OM_ERROR_MSG_MAX]; /* the same of reputation.json */
};

/* admit.c */

/** admit_open() - begin in @s, with its files; false and @err without memory. */
bool admit_open(struct vms *s, struct om_error *err);

/** admit_close() - end in @s. */
void admit_close(struct vms *s);

/**
 * admit_rule() - ask the rules
 * @s:       the hub
 * @who:     wants a machine
 * @spec:    of this kind
 * @ruling:  filled in any case
 * @err:     why not, with the name of the rule
 *
 * Return: false when they say no.
 */
bool admit_rule(const struct vms *s, const struct vms_who *who, const struct om_vm_spec *spec,
                struct om_vm_ruling *ruling, struct om_error *err);

/** admit_has_room() - is there room in @s for @spec of @who, or can there be for the owner; false
 *  and @err. */
bool admit_has_room(const struct vms *s, const struct vms_who *who, const struct om_vm_spec *spec,
                    struct om_error *err);

/** admit_pace() - may a machine be made in @s for @who already; false and @err. */
bool admit_pace(struct vms *s, const struct vms_who *who, struct om_error *err);

/** admit_patience() - how long a request by @who for @spec may be on hold, after @ruling. */
om_time admit_patience(const struct vms_who *who, const struct om_vm_spec *spec,
                       const struct om_vm_ruling *ruling);

/** admit_take() - reserve room for @v, or put it on hold, by @ruling; false and @err. */
bool admit_take(struct service_vm *v, const struct om_vm_ruling *ruling, struct om_error *err);

/** admit_text() - what @v waits for, in words; NULL when it does not. */
const char *admit_text(const struct service_vm *v);

/** admit_over() - nothing of @v is left: it no longer waits, and how it ended counts. */
void admit_over(struct service_vm *v);

/** admit_outcome() - the consumer of @v gains or loses by @o; the owner does neither. */
void admit_outcome(struct service_vm *v, enum om_vm_outcome o);

/** admit_tick() - what waited too long in @s at @now, and what there is room for now. */
void admit_tick(struct vms *s, om_time now);

/** admit_deadline() - when @s wants that. */
om_time admit_deadline(const struct vms *s);

/** admit_decide() - the owner's word on @v, which waits for it: @is_allowed; false and @err when
 *  that is too late. */
bool admit_decide(struct service_vm *v, bool is_allowed, struct om_error *err);

/** admit_show() - request @a of @s as lists and events show it, a new reference. */
json_t *admit_show(const struct vms *s, const struct om_vm_approval *a);

/** admit_address() - where @peer of @network is reached by @s into @out; zeroed when through
 *  others, or not at all. */
void admit_address(const struct vms *s, const struct om_id *network, const struct om_id *peer,
                   struct om_addr *out);

/** admit_minute() - of the day, by the clock on the wall here. */
unsigned admit_minute(void);

/* admit_files.c */

/** admit_load_filter() - read filters.json of @s; what is wrong is in admit->bad. */
void admit_load_filter(struct vms *s);

/** admit_load_reputation() - read reputation.json of @s. */
void admit_load_reputation(struct vms *s);

/** admit_save_filter() - keep @f as the rules of @s; false and @err, and then the old ones stay. */
bool admit_save_filter(struct vms *s, const struct om_vm_filter *f, struct om_error *err);

/** admit_save_reputation() - keep what became of peers' machines in @s; a failure is logged. */
void admit_save_reputation(struct vms *s);

#endif
