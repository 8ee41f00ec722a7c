/* admit.c - the rules, the owner's word and the room, asked in this order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "host/clock.h"
#include "service/parts.h"

enum { MS_PER_S = 1000, US_PER_S = 1000000 };

bool admit_open(struct vms *s, struct om_error *err)
{
    s->admit = calloc(1, sizeof *s->admit);
    if (!s->admit)
        return om_fail(err, OM_E_NO_MEM, "no memory for the rules of virtual machines") == OM_OK;
    tzset(); /* reads files, and later calls do not */
    admit_load_filter(s);
    admit_load_reputation(s);
    return true;
}

void admit_close(struct vms *s)
{
    free(s->admit);
    s->admit = NULL;
}

unsigned admit_minute(void)
{
    time_t now = (time_t)(om_clock_wall().unix_ms / MS_PER_S);
    struct tm local = {0};

    return localtime_r(&now, &local) ? (unsigned)(local.tm_hour * 60 + local.tm_min) : 0;
}

void admit_address(const struct vms *s, const struct om_id *network, const struct om_id *peer,
                   struct om_addr *out)
{
    struct om_peer_info p = {.cipher = ""};

    *out = (struct om_addr){0};
    if (om_node_peer_info(daemon_node(s->d), om_clock_now(), network, peer, &p) == OM_OK &&
        p.is_heard && p.via.lane == 0)
        *out = p.via.remote;
}

bool admit_rule(const struct vms *s, const struct vms_who *who, const struct om_vm_spec *spec,
                struct om_vm_ruling *ruling, struct om_error *err)
{
    const struct admit *a = s->admit;
    struct om_vm_ask ask = {.peer = who->peer,
                            .network = who->network,
                            .spec = spec,
                            .minute = admit_minute(),
                            .reputation =
                                om_vm_reputation_of(&a->reputation, &who->peer, om_clock_wall()),
                            .is_owner = who->is_own};

    admit_address(s, &who->network, &who->peer, &ask.address);
    *ruling = om_vm_admission_test(&a->filter, &ask);
    if (ruling->verdict != OM_VM_DENY)
        return true;
    if (*a->bad)
        return om_fail(err, OM_E_STATE, "the provider's rules cannot be read: %.140s", a->bad) ==
               OM_OK;
    return om_fail(err, OM_E_STATE, "the provider's rules say no: %.160s", ruling->text) == OM_OK;
}

static struct om_vm_share share_of(const struct vms_who *who, const struct om_vm_spec *spec,
                                   uint64_t number)
{
    return (struct om_vm_share){.vm = number,
                                .peer = who->peer,
                                .network = who->network,
                                .is_owner = who->is_own,
                                .amount = om_vm_spec_amount(spec)};
}

static struct service_vm *by_number(const struct vms *s, uint64_t number)
{
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l))
        if (OM_CONTAINER_OF(l, struct service_vm, link)->number == number)
            return OM_CONTAINER_OF(l, struct service_vm, link);
    return NULL;
}

/* The first machine of the owner's own that waits for room. */
static struct service_vm *first_waiting(const struct vms *s)
{
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (v->hold == ADMIT_ROOM && v->vm.state == OM_VM_REQUESTED)
            return v;
    }
    return NULL;
}

bool admit_has_room(const struct vms *s, const struct vms_who *who, const struct om_vm_spec *spec,
                    struct om_error *err)
{
    const struct om_vm_share share = share_of(who, spec, 0);
    uint64_t vms[OM_VM_COUNT_MAX];

    if (!who->is_own && first_waiting(s))
        return om_fail(err, OM_E_FULL, "the provider's owner needs the room there is") == OM_OK;
    enum om_err e = om_vm_quota_check(&s->quota, &share, err);
    return e == OM_OK || (e == OM_E_FULL && who->is_own && s->provide.is_owner_first &&
                          om_vm_quota_yield(&s->quota, &share, vms) > 0);
}

om_time admit_patience(const struct vms_who *who, const struct om_vm_spec *spec,
                       const struct om_vm_ruling *ruling)
{
    if (who->is_own)
        return OM_SEC(ADMIT_ROOM_S);
    return ruling->verdict == OM_VM_ASK ? om_time_min(OM_SEC(ADMIT_WAIT_S), spec->timeout) : 0;
}

json_t *admit_show(const struct vms *s, const struct om_vm_approval *a)
{
    const struct service_vm *v = by_number(s, a->vm);
    const struct daemon_network *net = daemon_network(s->d, &a->network);
    om_time left = a->until - om_clock_now();
    char id[OM_ID_TEXT];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:I}", "vm",
                     v ? v->id : "", "peer", om_id_print(&a->peer, id), "network",
                     net ? net->name : "", "why", a->why, "description", a->spec.description,
                     "image", a->spec.image, "cpus", (json_int_t)a->spec.cpus, "memory_mib",
                     (json_int_t)a->spec.memory_mib, "disk_mib", (json_int_t)a->spec.disk_mib,
                     "ttl_s", (json_int_t)(a->spec.ttl / US_PER_S), "egress",
                     a->spec.egress == OM_VM_EGRESS_INTERNET ? "internet" : "none", "left_s",
                     (json_int_t)(left > 0 ? left / US_PER_S : 0));
}

/* Subscribers here hear of request @a, which is now @state. */
static void notify(const struct vms *s, const struct om_vm_approval *a, const char *state)
{
    json_t *o = admit_show(s, a);

    if (o)
        (void)json_object_set_new(o, "state", json_string(state));
    control_notify_approval(s->d->control, o);
}

/* The owner's word is waited for. */
static bool ask_owner(struct service_vm *v, const struct om_vm_ruling *ruling, om_time patience,
                      struct om_error *err)
{
    om_time now = om_clock_now();
    struct om_vm_approval *a = calloc(1, sizeof *a);
    enum om_err e = OM_E_NO_MEM;

    if (a) {
        *a = (struct om_vm_approval){.vm = v->number,
                                     .peer = v->consumer,
                                     .network = v->network,
                                     .spec = v->spec,
                                     .since = now,
                                     .until = now + patience};
        (void)snprintf(a->why, sizeof a->why, "%s", ruling->text);
        e = om_vm_approvals_add(&v->hub->admit->approvals, a, v->hub->d->network_count, err);
    }
    if (e == OM_OK) {
        v->hold = ADMIT_ASKED;
        notify(v->hub, a, "waiting");
    }
    free(a);
    return e == OM_OK;
}

static struct vms_who who_of(const struct service_vm *v)
{
    return (struct vms_who){.network = v->network, .peer = v->consumer, .is_own = v->is_own};
}

/* Reserves for @v; or, for the owner's own, ends the newest of others and waits for their room. */
static bool reserve(struct service_vm *v, struct om_error *err)
{
    const struct vms_who who = who_of(v);
    const struct om_vm_share share = share_of(&who, &v->spec, v->number);
    struct vms *s = v->hub;
    uint64_t vms[OM_VM_COUNT_MAX];

    if (!v->is_own && first_waiting(s))
        return om_fail(err, OM_E_FULL, "the provider's owner needs the room there is") == OM_OK;
    enum om_err e = om_vm_quota_reserve(&s->quota, &share, err);
    if (e == OM_OK)
        v->hold = ADMIT_GO;
    if (e != OM_E_FULL || !v->is_own || !s->provide.is_owner_first)
        return e == OM_OK;
    unsigned n = om_vm_quota_yield(&s->quota, &share, vms);
    if (n > 0)
        v->hold = ADMIT_ROOM;
    for (unsigned i = 0; i < n; i++) {
        struct service_vm *other = by_number(s, vms[i]);
        if (other)
            machine_input(other, OM_VM_IN_EVICT, "the owner needs it");
    }
    return n > 0;
}

bool admit_take(struct service_vm *v, const struct om_vm_ruling *ruling, struct om_error *err)
{
    const struct vms_who who = who_of(v);

    if (ruling->verdict == OM_VM_ASK)
        return ask_owner(v, ruling, admit_patience(&who, &v->spec, ruling), err);
    return reserve(v, err);
}

const char *admit_text(const struct service_vm *v)
{
    if (v->vm.state != OM_VM_REQUESTED || v->hold == ADMIT_GO)
        return NULL;
    return v->hold == ADMIT_ASKED ? "waits for the provider's owner"
                                  : "waits until machines of others made room";
}

static void note(struct vms *s, const struct om_id *peer, enum om_vm_outcome o)
{
    om_vm_reputation_note(&s->admit->reputation, peer, om_clock_wall(), o);
    admit_save_reputation(s);
}

void admit_outcome(struct service_vm *v, enum om_vm_outcome o)
{
    if (!v->is_own)
        note(v->hub, &v->consumer, o);
}

bool admit_pace(struct vms *s, const struct vms_who *who, struct om_error *err)
{
    bool is_news = false;

    if (who->is_own ||
        om_vm_pace_take(&s->admit->pace, &who->peer, om_clock_now(), &is_news, err) == OM_OK)
        return true;
    if (is_news)
        note(s, &who->peer, OM_VM_OUTCOME_EXCESSIVE);
    return false;
}

void admit_over(struct service_vm *v)
{
    struct om_vm_approvals *l = &v->hub->admit->approvals;
    const struct om_vm_approval *a = om_vm_approvals_find(l, v->number);

    if (a) {
        notify(v->hub, a, "withdrawn");
        (void)om_vm_approvals_drop(l, v->number);
    }
    if (!v->vm.has_quota) /* reserved, and over before it was told so */
        (void)om_vm_quota_release(&v->hub->quota, v->number);
    switch (v->vm.end) {
    case OM_VM_END_RELEASED:
    case OM_VM_END_EXPIRED:
        if (v->vm.has_lease)
            admit_outcome(v, v->is_reached ? OM_VM_OUTCOME_GOOD : OM_VM_OUTCOME_UNUSED);
        break;
    case OM_VM_END_SHUT_DOWN:
        if (v->vm.has_lease)
            admit_outcome(v, OM_VM_OUTCOME_GOOD);
        break;
    case OM_VM_END_VIOLATION:
        admit_outcome(v, OM_VM_OUTCOME_VIOLATION);
        break;
    case OM_VM_END_NONE: /* of the rest none is the consumer's doing */
    case OM_VM_END_EVICTED:
    case OM_VM_END_REFUSED:
    case OM_VM_END_TIMEOUT:
    case OM_VM_END_FAILED:
    case OM_VM_END_PANICKED:
    case OM_VM_END_DIED:
    case OM_VM_END_COUNT:
        break;
    }
}

/* The owner, or time, has spoken; @a was copied from the list, which no longer has it. */
static void decided(struct vms *s, const struct om_vm_approval *a, enum om_vm_answer answer)
{
    static const char *const states[] = {"allowed", "denied", "expired"};
    struct service_vm *v = by_number(s, a->vm);
    struct om_error err = {.msg = ""};

    notify(s, a, states[answer]);
    if (!v)
        return;
    v->hold = ADMIT_GO;
    if (answer == OM_VM_UNANSWERED) {
        machine_input(v, OM_VM_IN_REFUSED, "the provider's owner did not answer in time");
    } else if (answer == OM_VM_DENIED) {
        admit_outcome(v, OM_VM_OUTCOME_DENIED);
        machine_input(v, OM_VM_IN_REFUSED, "the provider's owner said no");
    } else if (!s->provide.is_on) {
        machine_input(v, OM_VM_IN_REFUSED, "that peer provides no virtual machines any more");
    } else if (!reserve(v, &err)) {
        machine_input(v, OM_VM_IN_REFUSED, err.msg);
    } else if (!rows_put(v, &err)) {
        (void)om_vm_quota_release(&s->quota, v->number);
        machine_input(v, OM_VM_IN_REFUSED, err.msg);
    } else {
        vms_go(v);
    }
}

bool admit_decide(struct service_vm *v, bool is_allowed, struct om_error *err)
{
    struct om_vm_approvals *l = &v->hub->admit->approvals;
    const struct om_vm_approval *a = om_vm_approvals_find(l, v->number);
    struct om_vm_approval *copy = a ? malloc(sizeof *copy) : NULL;
    struct om_vm_decided out;

    if (a && !copy)
        return om_fail(err, OM_E_NO_MEM, "no memory") == OM_OK;
    if (copy)
        *copy = *a;
    bool is_there = copy && om_vm_approvals_decide(l, om_clock_now(), v->number, is_allowed, &out);
    if (is_there)
        decided(v->hub, copy, out.answer);
    else
        (void)om_fail(err, OM_E_MISSING, "this request waits no longer");
    free(copy);
    return is_there;
}

/* The first of @l whose time is over; NULL when there is none. */
static const struct om_vm_approval *late(const struct om_vm_approvals *l, om_time now)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->row[i].until <= now)
            return &l->row[i];
    return NULL;
}

static void expire(struct vms *s, om_time now)
{
    struct om_vm_approvals *l = &s->admit->approvals;
    const struct om_vm_approval *a = late(l, now);
    struct om_vm_approval *copy = a ? calloc(1, sizeof *copy) : NULL;
    struct om_vm_decided out;

    for (; copy && a; a = late(l, now)) {
        *copy = *a;
        if (om_vm_approvals_next(l, now, &out))
            decided(s, copy, out.answer);
    }
    free(copy);
}

void admit_tick(struct vms *s, om_time now)
{
    struct om_error err = {.msg = ""};
    struct service_vm *v;

    if (!s->admit)
        return;
    expire(s, now);
    /* In the order in which they were asked for: who comes later takes nothing from who waits. */
    while ((v = first_waiting(s))) {
        if (!reserve(v, &err)) {
            v->hold = ADMIT_GO;
            machine_input(v, OM_VM_IN_REFUSED, err.msg);
        } else if (v->hold == ADMIT_ROOM) {
            break;
        } else if (rows_put(v, &err)) {
            vms_go(v);
        } else {
            (void)om_vm_quota_release(&s->quota, v->number);
            machine_input(v, OM_VM_IN_REFUSED, err.msg);
        }
    }
}

om_time admit_deadline(const struct vms *s)
{
    return s->admit ? om_vm_approvals_deadline(&s->admit->approvals) : OM_NEVER;
}
