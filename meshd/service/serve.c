/* serve.c - peers' calls about machines, and the streams on which they hear of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "service/jobs.h"
#include "service/parts.h"

/* An answer that is one line. */
struct reply {
    struct om_link link;
    struct vms *hub;
    struct om_id peer;
    om_time until;
    struct om_call_owner owner;
    char *text; /* owned; lent to the node */
};

static void on_reply(struct om_call_owner *o OM_UNUSED, const struct om_act_reply *r OM_UNUSED)
{
}

static void reply_drop(struct reply *r)
{
    om_calls_hang_up(r->hub->d->calls, &r->owner, OM_CLOSE_DONE);
    om_list_remove(&r->link);
    r->hub->short_count--;
    free(r->text);
    free(r);
}

static void on_reply_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    if (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE))
        reply_drop(OM_CONTAINER_OF(o, struct reply, owner));
}

void serve_close(struct vms *s)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&s->shorts); l; l = next) {
        next = om_list_next(&s->shorts, l);
        reply_drop(OM_CONTAINER_OF(l, struct reply, link));
    }
}

static char *line_of(const json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII), *line = NULL;
    size_t n = text ? strlen(text) : 0;

    if (text)
        line = malloc(n + 2);
    if (line) {
        memcpy(line, text, n);
        memcpy(line + n, "\n", 2);
    }
    free(text);
    return line;
}

/* Of a peer that leaves answers lying the oldest goes; false when all have too many. */
static bool has_short_room(struct vms *s, const struct om_id *peer)
{
    struct reply *oldest = NULL;
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&s->shorts); l; l = om_list_next(&s->shorts, l)) {
        struct reply *r = OM_CONTAINER_OF(l, struct reply, link);
        if (!om_id_equal(&r->peer, peer))
            continue;
        n++;
        oldest = oldest ? oldest : r;
    }
    if (n >= VM_SHORTS_PEER)
        reply_drop(oldest);
    return s->short_count < VM_SHORTS_MAX;
}

void serve_shorts(struct vms *s, om_time now)
{
    for (struct om_link *l = om_list_first(&s->shorts), *next; l; l = next) {
        struct reply *r = OM_CONTAINER_OF(l, struct reply, link);
        next = om_list_next(&s->shorts, l);
        if (r->until > now)
            return;
        reply_drop(r);
    }
}

om_time serve_shorts_deadline(const struct vms *s)
{
    struct om_link *l = om_list_first(&s->shorts);

    return l ? OM_CONTAINER_OF(l, struct reply, link)->until : OM_NEVER;
}

/* @result is taken. */
static void answer(struct vms *s, const struct om_id *peer, uint64_t call, json_t *result)
{
    struct om_node *n = om_calls_node(s->d->calls);
    struct reply *r = has_short_room(s, peer) ? calloc(1, sizeof *r) : NULL;
    om_time now = om_clock_now();

    if (r)
        r->text = line_of(result);
    json_decref(result);
    if (!r || !r->text) {
        free(r);
        om_calls_refuse(s->d->calls, call, "unavailable", "no memory");
        return;
    }
    r->hub = s;
    r->peer = *peer;
    r->until = now + OM_SEC(VM_HEAR_S);
    r->owner.on_reply = on_reply;
    r->owner.on_stream = on_reply_stream;
    if (om_calls_take(s->d->calls, call, &r->owner) != OM_OK) {
        free(r->text);
        free(r);
        om_calls_refuse(s->d->calls, call, "unavailable", "no memory");
        return;
    }
    om_list_push_back(&s->shorts, &r->link);
    s->short_count++;
    vms_touch(s);
    if (om_node_accept(n, now, call, om_bytes(NULL, 0)) != OM_OK ||
        om_node_write(n, now, call, om_bytes(r->text, strlen(r->text))) != OM_OK ||
        om_node_finish(n, now, call) != OM_OK)
        reply_drop(r);
}

static void free_lines(struct service_vm *v, uint64_t up_to)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&v->lines); l; l = next) {
        struct vm_line *k = OM_CONTAINER_OF(l, struct vm_line, link);
        next = om_list_next(&v->lines, l);
        if (k->end > up_to)
            break;
        om_list_remove(&k->link);
        v->line_count--;
        free(k);
    }
}

void serve_cut(struct service_vm *v)
{
    if (v->owner.is_open) /* its lease runs from now */
        gate_alive(v, om_clock_now());
    om_calls_hang_up(v->hub->d->calls, &v->owner, OM_CLOSE_DONE);
    free_lines(v, UINT64_MAX);
    v->line_end = 0;
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct service_vm *v = OM_CONTAINER_OF(o, struct service_vm, owner);

    if (news->news & OM_CALL_RELEASED)
        free_lines(v, news->released);
    if (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE))
        serve_cut(v);
    if (v->vm.state == OM_VM_GONE)
        vms_touch(v->hub);
}

/* Without the memory for a line the consumer is hung up on, and asks again. */
static void write_line(struct service_vm *v, const json_t *event)
{
    struct om_calls *calls = v->hub->d->calls;
    om_time now = om_clock_now();
    char *text = line_of(event);

    if (!text) {
        serve_cut(v);
        return;
    }
    size_t n = strlen(text);
    struct vm_line *l = v->line_count < VM_LINES_MAX ? malloc(sizeof *l + n) : NULL;
    if (l) {
        *l = (struct vm_line){.end = v->line_end += n};
        memcpy(l->text, text, n);
        om_list_push_back(&v->lines, &l->link);
        v->line_count++;
    }
    free(text);
    if (!l ||
        om_node_write(om_calls_node(calls), now, v->owner.call, om_bytes(l->text, n)) != OM_OK)
        serve_cut(v);
    om_calls_kick(calls);
}

void serve_tell(struct service_vm *v, json_t *event)
{
    if (v->owner.is_open && event)
        write_line(v, event);
    json_decref(event);
}

/* A consumer that reads nothing must not keep places that others want. */
static void make_room(const struct service_vm *v)
{
    const struct om_list *all = &v->hub->machines;
    struct service_vm *oldest = NULL;
    unsigned n = 0;

    for (struct om_link *l = om_list_first(all); l; l = om_list_next(all, l)) {
        struct service_vm *o = OM_CONTAINER_OF(l, struct service_vm, link);
        if (o == v || !o->owner.is_open || o->hear_by == OM_NEVER ||
            !om_id_equal(&o->consumer, &v->consumer))
            continue;
        n++;
        if (!oldest || o->hear_by < oldest->hear_by)
            oldest = o;
    }
    if (n >= VM_HEAR_PEER)
        serve_cut(oldest);
}

void serve_drop(struct service_vm *v)
{
    struct om_calls *calls = v->hub->d->calls;

    if (!v->owner.is_open)
        return;
    make_room(v);
    v->hear_by = om_clock_now() + OM_SEC(VM_HEAR_S);
    if (v->hub->is_closing || om_list_is_empty(&v->lines) ||
        om_node_finish(om_calls_node(calls), om_clock_now(), v->owner.call) != OM_OK)
        serve_cut(v);
    om_calls_kick(calls);
}

void serve_tick(struct service_vm *v, om_time now)
{
    if (serve_deadline(v) <= now)
        serve_cut(v);
}

om_time serve_deadline(const struct service_vm *v)
{
    return v->owner.is_open ? v->hear_by : OM_NEVER;
}

/* The consumer hears of @v on @call from now on; on one call at a time. */
static void attach(struct service_vm *v, const struct om_act_call *call)
{
    struct om_calls *calls = v->hub->d->calls;
    json_t *event;

    serve_cut(v);
    v->owner.on_reply = on_reply;
    v->owner.on_stream = on_stream;
    if (om_calls_take(calls, call->call, &v->owner) != OM_OK) {
        om_calls_refuse(calls, call->call, "unavailable", "no memory");
        return;
    }
    if (om_node_accept(om_calls_node(calls), om_clock_now(), call->call, om_bytes(NULL, 0)) !=
        OM_OK) {
        serve_cut(v);
        return;
    }
    om_node_limit(om_calls_node(calls), om_clock_now(), call->call);
    event = machine_json(v);
    (void)json_object_set_new(event, "event", json_string("state"));
    write_line(v, event);
    json_decref(event);
    if (v->vm.state == OM_VM_GONE) /* and of nothing more */
        serve_drop(v);
}

/* What programs tell apart; people get the sentence. */
static const char *refusal_word(enum om_err e)
{
    return e == OM_E_MISSING ? VM_NOT_THERE : "refused";
}

void vms_call(struct vms *s, const struct om_act_call *call)
{
    const struct daemon_network *net = daemon_network(s->d, &call->network);
    const struct vms_who who = {.network = call->network,
                                .peer = call->peer,
                                .is_own = net && om_id_equal(&call->peer, &net->self)};
    struct om_error err = {.code = OM_E_PARSE, .msg = "bad arguments"};
    json_error_t at;
    json_t *args =
        json_loadb((const char *)call->args.p, call->args.n, JSON_REJECT_DUPLICATES, &at);
    const char *name = json_string_value(json_object_get(args, "vm")),
               *key = json_string_value(json_object_get(args, "key"));
    const struct om_act_call copy = *call; /* lent until the node is asked for something */
    bool is_request = strcmp(call->method, "vm.request") == 0;
    char method[OM_METHOD_MAX + 1];

    (void)snprintf(method, sizeof method, "%s", call->method);
    if (s->is_lost) { /* its machines are there, but not for this daemon */
        om_calls_refuse(s->d->calls, copy.call, refusal_word(OM_E_STATE), s->missing);
        json_decref(args);
        return;
    }
    if (is_request || strcmp(method, "vm.watch") == 0) {
        struct service_vm *v = is_request ? vms_admit(s, &who, args, &err) : NULL;
        if (!is_request) {
            v = name ? vms_find(s, &who, name) : key ? vms_find_key(s, &who, key) : NULL;
            (void)om_fail(&err, OM_E_MISSING, "there is no such virtual machine of yours");
        }
        if (v)
            attach(v, &copy);
        else
            om_calls_refuse(s->d->calls, copy.call, refusal_word(err.code), err.msg);
    } else if (strcmp(method, JOB_METHOD) == 0) {
        jobs_call(s, &who, args, &copy);
    } else {
        json_t *result = vms_short(s, &who, method, args, &err);
        if (result)
            answer(s, &who.peer, copy.call, result);
        else
            om_calls_refuse(s->d->calls, copy.call, refusal_word(err.code), err.msg);
    }
    json_decref(args);
    om_calls_kick(s->d->calls);
}
