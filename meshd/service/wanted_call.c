/* wanted_call.c - calls to providers: the stream that tells of a machine, and short questions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "host/clock.h"
#include "service/choose.h"
#include "service/owed.h"
#include "service/wanted_parts.h"

/* What the provider said, as a sentence for people. */
static void read_refusal(struct om_error *err, const struct om_act_reply *reply)
{
    char text[WANTED_TEXT] = "";

    wanted_sentence(text, sizeof text, reply->body);
    if (*text)
        (void)om_fail(err, OM_E_STATE, "%.190s", text);
    else
        (void)om_fail(err, OM_E_STATE, "the provider refused: %.60s", reply->error);
}

void wanted_again(struct wanted_vm *v)
{
    om_time now = om_clock_now(), keep = v->keep > 0 ? v->keep : OM_SEC(WANTED_LOST_S);

    if (v->lost_until == OM_NEVER) {
        v->lost_until = now + keep;
        if (v->until != OM_NEVER && v->until > v->lost_until)
            v->lost_until = v->until;
        v->lost_until += OM_SEC(WANTED_GRACE_S);
    }
    v->again_at = now + OM_MS(v->again_ms);
    if (v->again_ms < WANTED_AGAIN_MAX_MS / 2)
        v->again_ms *= 2;
    wanted_arm(v->hub);
}

/* Did the provider itself say that there is no machine? */
static bool is_its_word(const struct om_act_reply *reply)
{
    static const char *const words[] = {"refused", VM_NOT_THERE, "unknown_method", "bad_args"};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        if (strcmp(reply->error, words[i]) == 0)
            return true;
    return false;
}

void wanted_refused(struct wanted_vm *v, const struct om_error *err)
{
    struct wanted *w = v->hub;
    struct choose *run = v->run;

    if (v->number)
        control_vm_answer(w->d->control, v->number, &v->network, &v->provider, NULL, err);
    wanted_drop(v);
    wanted_keep(w);
    if (run)
        choose_refused(run, err);
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *reply)
{
    struct wanted_vm *v = OM_CONTAINER_OF(o, struct wanted_vm, owner);
    struct om_error err;

    if (reply->is_ok) { /* so from now on it is asked after, not for */
        json_decref(v->spec);
        v->spec = NULL;
        om_node_limit(daemon_node(v->hub->d), om_clock_now(), o->call);
        return;
    }
    bool is_gone = !v->spec && strcmp(reply->error, VM_NOT_THERE) == 0;
    bool is_none = is_its_word(reply); /* which the end of the call takes with it */
    read_refusal(&err, reply);
    om_calls_hang_up(v->hub->d->calls, o, OM_CLOSE_DONE);
    if (is_gone) {
        json_t *event = json_pack("{s:s, s:s}", "event", "state", "state", "gone");
        (void)wanted_event(v, event);
        json_decref(event);
    } else if (!v->spec) {
        wanted_again(v);
    } else {
        if (!is_none)
            owed_add(v);
        wanted_refused(v, &err);
    }
}

/* Each line that came; false: @v is gone. */
static bool read_lines(struct wanted_vm *v)
{
    struct om_bytes line;
    json_error_t at;

    while (om_line_next(&v->in, &line)) {
        json_t *event = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &at);
        bool is_there = !event || wanted_event(v, event);
        json_decref(event);
        if (!is_there)
            return false;
    }
    return true;
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct wanted_vm *v = OM_CONTAINER_OF(o, struct wanted_vm, owner);
    struct om_calls *calls = v->hub->d->calls;
    bool is_end = (news->news & (OM_CALL_RESET | OM_CALL_STOPPED)) != 0;

    while (v->owner.is_open) {
        struct om_bytes in = om_node_read(om_calls_node(calls), o->call, &is_end);
        if (in.n == 0)
            break;
        bool is_fed = om_line_feed(&v->in, in) == OM_OK;
        om_node_consume(om_calls_node(calls), om_clock_now(), o->call, in.n);
        if (!is_fed) {
            is_end = true;
            break;
        }
        if (!read_lines(v))
            return;
    }
    is_end = is_end || (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE));
    if (!is_end)
        return;
    struct om_error err;
    om_calls_hang_up(calls, &v->owner, OM_CLOSE_DONE);
    om_line_fini(&v->in);
    (void)om_fail(&err, OM_E_STATE, "the provider hung up");
    if (!v->spec) {
        wanted_again(v);
        return;
    }
    owed_add(v);
    wanted_refused(v, &err);
}

enum wanted_role wanted_role(const struct om_daemon *d, const struct daemon_network *net,
                             const struct om_id *peer, struct om_error *err)
{
    const struct om_node *n = daemon_node(d);
    char id[OM_ID_TEXT];
    struct om_member m;

    if (!net->is_closed || om_id_equal(peer, &net->self))
        return WANTED_LENDER;
    if (om_node_member(n, &net->id, peer, &m) != OM_OK)
        return WANTED_UNKNOWN;
    if (om_node_may(n, &net->id, peer, OM_ROLE_PROVIDER))
        return WANTED_LENDER;
    (void)om_fail(err, OM_E_STATE,
                  "the certificate of %s in network %s has not the role of a provider, which an "
                  "invitation with --role provider gives",
                  *m.name ? m.name : om_id_print(peer, id), net->name);
    return WANTED_NO_LENDER;
}

/* May the provider of @v, which is new, be asked? Of whom no certificate was seen a session is
 * begun, which brings it, and @v is looked at again; false: so, or there is no @v any more. */
static bool is_lender(struct wanted_vm *v, const struct daemon_network *net)
{
    struct om_daemon *d = v->hub->d;
    om_time now = om_clock_now();
    enum om_err e = OM_OK;
    struct om_error err;

    switch (wanted_role(d, net, &v->provider, &err)) {
    case WANTED_LENDER:
        return true;
    case WANTED_NO_LENDER:
        wanted_refused(v, &err);
        return false;
    case WANTED_UNKNOWN:
        break;
    }
    if (v->known_by == OM_NEVER) {
        v->known_by = now + OM_SEC(WANTED_ASK_S);
        e = daemon_reach(d, net, &v->provider);
        if (e == OM_OK)
            e = om_node_connect(daemon_node(d), now, &net->id, &v->provider, NULL, 0);
        om_pump_kick(d->pump);
    }
    if (e == OM_OK && now < v->known_by) {
        v->again_at = now + OM_MS(WANTED_LOOK_MS);
        wanted_arm(v->hub);
        return false;
    }
    (void)om_fail(&err, OM_E_STATE, "the provider cannot be asked: %s",
                  e != OM_OK ? om_err_text(e) : "it does not answer");
    wanted_refused(v, &err);
    return false;
}

void wanted_call(struct wanted_vm *v)
{
    struct om_daemon *d = v->hub->d;
    const struct daemon_network *net = daemon_network(d, &v->network);
    bool is_new = v->spec != NULL;
    om_time patience = OM_SEC(WANTED_ASK_S);
    if (is_new && net && !is_lender(v, net))
        return;
    if (is_new && v->known_by != OM_NEVER) /* some of it is over */
        patience = OM_SEC(1) + v->known_by - om_clock_now();
    json_t *args = is_new   ? json_pack("{s:s, s:O}", "key", v->key, "spec", v->spec)
                   : *v->vm ? json_pack("{s:s}", "vm", v->vm)
                            : json_pack("{s:s}", "key", v->key);
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    enum om_err e = OM_E_NO_MEM;
    struct om_error err;

    json_decref(args);
    v->again_at = OM_NEVER;
    if (!*v->vm && v->word_by == OM_NEVER) {
        v->word_by = om_clock_now() + OM_SEC(WANTED_WORD_S);
        wanted_arm(v->hub);
    }
    v->owner.on_reply = on_reply;
    v->owner.on_stream = on_stream;
    om_line_fini(&v->in);
    if (text && net) {
        const struct om_call_config call = {.method = is_new ? "vm.request" : "vm.watch",
                                            .args = om_bytes(text, strlen(text)),
                                            .priority = OM_NORMAL,
                                            .timeout = patience};
        e = daemon_reach(d, net, &v->provider);
        if (e == OM_OK)
            e = om_calls_open(d->calls, &v->network, &v->provider, &call, &v->owner);
    }
    free(text);
    if (e != OM_OK && is_new) {
        (void)om_fail(&err, e, "the provider cannot be asked: %s", om_err_text(e));
        wanted_refused(v, &err);
    } else if (e != OM_OK) {
        wanted_again(v);
    }
    om_calls_kick(d->calls);
}

void wanted_ask_drop(struct wanted_ask *a)
{
    om_calls_hang_up(a->hub->d->calls, &a->owner, OM_CLOSE_DONE);
    om_line_fini(&a->in);
    om_list_remove(&a->link);
    a->hub->ask_count--;
    free(a);
}

void wanted_told(struct wanted_ask *a, json_t *result, const struct om_error *err)
{
    control_vm_answer(a->hub->d->control, a->number, &a->network, &a->peer, result, err);
    wanted_ask_drop(a);
}

static void on_ask_reply(struct om_call_owner *o, const struct om_act_reply *reply)
{
    struct wanted_ask *a = OM_CONTAINER_OF(o, struct wanted_ask, owner);
    struct om_error err;

    if (reply->is_ok) {
        om_node_limit(daemon_node(a->hub->d), om_clock_now(), o->call);
        return;
    }
    read_refusal(&err, reply);
    wanted_told(a, NULL, &err);
}

static void on_ask_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct wanted_ask *a = OM_CONTAINER_OF(o, struct wanted_ask, owner);
    struct om_node *n = om_calls_node(a->hub->d->calls);
    bool is_end = false, is_fed = true;
    struct om_bytes in, line;
    struct om_error err;
    json_error_t at;

    while (is_fed && (in = om_node_read(n, o->call, &is_end)).n > 0) {
        is_fed = om_line_feed(&a->in, in) == OM_OK;
        om_node_consume(n, om_clock_now(), o->call, in.n);
    }
    if (om_line_next(&a->in, &line)) {
        (void)om_fail(&err, OM_E_PARSE, "the provider's answer makes no sense");
        wanted_told(a, json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &at), &err);
    } else if (!is_fed || is_end || (news->news & (OM_CALL_RESET | OM_CALL_STOPPED))) {
        (void)om_fail(&err, OM_E_STATE, "the provider hung up");
        wanted_told(a, NULL, &err);
    }
}

bool wanted_ask(struct wanted *w, const struct om_id *network, const struct om_id *peer,
                const char *method, json_t *args, uint64_t number, struct om_error *err)
{
    const struct daemon_network *net = daemon_network(w->d, network);
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    struct wanted_ask *a = w->ask_count < WANTED_ASKS_MAX ? calloc(1, sizeof *a) : NULL;
    enum om_err e = OM_E_NO_MEM;

    json_decref(args);
    if (text && a && net) {
        const struct om_call_config call = {.method = method,
                                            .args = om_bytes(text, strlen(text)),
                                            .priority = OM_NORMAL,
                                            .timeout = OM_SEC(WANTED_ASK_S)};
        *a = (struct wanted_ask){.hub = w,
                                 .network = *network,
                                 .peer = *peer,
                                 .number = number,
                                 .until = om_clock_now() + OM_SEC(WANTED_WORD_S)};
        a->owner.on_reply = on_ask_reply;
        a->owner.on_stream = on_ask_stream;
        e = daemon_reach(w->d, net, peer);
        if (e == OM_OK)
            e = om_calls_open(w->d->calls, network, peer, &call, &a->owner);
    }
    free(text);
    if (e != OM_OK) {
        free(a);
        return om_fail(err, e, "the provider cannot be asked: %s", om_err_text(e)) == OM_OK;
    }
    om_list_push_back(&w->asks, &a->link);
    w->ask_count++;
    wanted_arm(w);
    return true;
}
