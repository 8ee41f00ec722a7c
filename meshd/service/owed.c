/* owed.c - calls that give back what may have been made. */
#include "service/owed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/parts.h"
#include "host/clock.h"
#include "vm/core/spec.h"

struct owed {
    struct om_link link;
    struct wanted *hub;
    struct om_id network, provider;
    char key[WANTED_WORD + 1];
    om_time until, again_at;
    unsigned again_ms;
    bool has_none; /* it said so once */
    struct om_call_owner owner;
};

static void drop(struct owed *o)
{
    om_calls_hang_up(o->hub->d->calls, &o->owner, OM_CLOSE_DONE);
    om_list_remove(&o->link);
    o->hub->owed_count--;
    o->hub->is_stale = true;
    free(o);
}

static void later(struct owed *o, om_time wait)
{
    o->again_at = om_clock_now() + wait;
    if (o->again_ms < OWED_AGAIN_MAX_MS / 2)
        o->again_ms *= 2;
    wanted_arm(o->hub);
}

static void on_reply(struct om_call_owner *owner, const struct om_act_reply *reply)
{
    struct owed *o = OM_CONTAINER_OF(owner, struct owed, owner);
    bool is_none = !reply->is_ok && strcmp(reply->error, VM_NOT_THERE) == 0;

    om_calls_hang_up(o->hub->d->calls, owner, OM_CLOSE_DONE);
    if (reply->is_ok || (is_none && o->has_none)) {
        struct wanted *w = o->hub;
        drop(o);
        wanted_arm(w);
        return;
    }
    o->has_none = is_none;
    later(o, is_none ? OM_SEC(OWED_TWICE_S) : OM_MS(o->again_ms));
}

static void on_stream(struct om_call_owner *owner, const struct om_act_stream *news OM_UNUSED)
{
    struct owed *o = OM_CONTAINER_OF(owner, struct owed, owner);

    om_calls_hang_up(o->hub->d->calls, owner, OM_CLOSE_DONE);
    later(o, OM_MS(o->again_ms));
}

static void ask(struct owed *o)
{
    struct om_daemon *d = o->hub->d;
    const struct daemon_network *net = daemon_network(d, &o->network);
    json_t *args = json_pack("{s:s}", "key", o->key);
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    enum om_err e = OM_E_NO_MEM;

    json_decref(args);
    o->again_at = OM_NEVER;
    if (text && net) {
        const struct om_call_config call = {.method = "vm.release",
                                            .args = om_bytes(text, strlen(text)),
                                            .priority = OM_NORMAL,
                                            .timeout = OM_SEC(WANTED_ASK_S)};
        e = daemon_reach(d, net, &o->provider);
        if (e == OM_OK)
            e = om_calls_open(d->calls, &o->network, &o->provider, &call, &o->owner);
    }
    free(text);
    if (e != OM_OK)
        later(o, OM_MS(o->again_ms));
    om_calls_kick(d->calls);
}

static void add(struct wanted *w, const struct om_id *network, const struct om_id *provider,
                const char *key, om_time keep)
{
    om_time now = om_clock_now();

    if (w->owed_count == OWED_MAX)
        drop(OM_CONTAINER_OF(om_list_first(&w->owed), struct owed, link));
    struct owed *o = calloc(1, sizeof *o);
    if (!o)
        return;
    o->hub = w;
    o->network = *network;
    o->provider = *provider;
    o->until = now + keep;
    o->again_ms = OWED_AGAIN_MS;
    o->again_at = now + OM_MS(OWED_AGAIN_MS);
    o->owner.on_reply = on_reply;
    o->owner.on_stream = on_stream;
    (void)snprintf(o->key, sizeof o->key, "%s", key);
    om_list_push_back(&w->owed, &o->link);
    w->owed_count++;
    wanted_arm(w);
}

void owed_add(const struct wanted_vm *v)
{
    if (v->keep > 0)
        add(v->hub, &v->network, &v->provider, v->key, v->keep);
}

void owed_recall(struct wanted *w, const struct om_id *network, const struct om_id *provider,
                 const json_t *row)
{
    const char *key = json_string_value(json_object_get(row, "key"));
    json_int_t left = json_integer_value(json_object_get(row, "left_s"));

    if (key && om_vm_name_is_plain(key, WANTED_WORD) && left > 0 && left < INT32_MAX)
        add(w, network, provider, key, OM_SEC(left));
}

void owed_rows(const struct wanted *w, json_t *out)
{
    om_time now = om_clock_now();

    for (struct om_link *l = om_list_first(&w->owed); l; l = om_list_next(&w->owed, l)) {
        const struct owed *o = OM_CONTAINER_OF(l, struct owed, link);
        (void)json_array_append_new(
            out, json_pack("{s:s, s:o, s:o, s:s, s:I}", "key", o->key, "network",
                           control_id(&o->network), "provider", control_id(&o->provider), "state",
                           OWED_STATE, "left_s", (json_int_t)((o->until - now) / OM_SEC(1))));
    }
}

void owed_forgive(struct wanted *w, const struct om_id *provider, const char *key)
{
    for (struct om_link *l = om_list_first(&w->owed), *next; l; l = next) {
        struct owed *o = OM_CONTAINER_OF(l, struct owed, link);
        next = om_list_next(&w->owed, l);
        if (om_id_equal(&o->provider, provider) && strcmp(o->key, key) == 0)
            drop(o);
    }
}

void owed_tick(struct wanted *w, om_time now)
{
    for (struct om_link *l = om_list_first(&w->owed), *next; l; l = next) {
        struct owed *o = OM_CONTAINER_OF(l, struct owed, link);
        next = om_list_next(&w->owed, l);
        if (o->until <= now)
            drop(o);
        else if (o->again_at <= now)
            ask(o);
    }
}

om_time owed_deadline(const struct wanted *w)
{
    om_time at = OM_NEVER;

    for (struct om_link *l = om_list_first(&w->owed); l; l = om_list_next(&w->owed, l))
        at = om_time_min(at, OM_CONTAINER_OF(l, struct owed, link)->again_at);
    return at;
}

unsigned wanted_owed(const struct wanted *w)
{
    return w->owed_count;
}

void owed_stop(struct wanted *w)
{
    for (struct om_link *l = om_list_first(&w->owed), *next; l; l = next) {
        next = om_list_next(&w->owed, l);
        drop(OM_CONTAINER_OF(l, struct owed, link));
    }
}
