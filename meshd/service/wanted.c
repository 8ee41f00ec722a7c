/* wanted.c - the records: what is known of each machine, and the file it is kept in. */
#include "service/wanted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/addr.h>
#include <omerta/text.h>

#include "control/parts.h"
#include "host/clock.h"
#include "host/secret_file.h"
#include "service/choose.h"
#include "service/owed.h"
#include "service/ssh_files.h"
#include "service/wanted_parts.h"
#include "vm/core/fields.h"
#include "vm/core/spec.h"

#define KEPT "vms.json"

enum { KEEP_EVERY_MS = 500, FILE_BYTES = 1024 * 1024, US_PER_S = 1000000, US_PER_MS = 1000 };

static void on_timer(uv_timer_t *t)
{
    struct wanted *w = t->data;
    om_time now = om_clock_now();

    for (struct om_link *l = om_list_first(&w->machines), *next; l; l = next) {
        struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        next = om_list_next(&w->machines, l);
        bool is_leaving = v->leave_at <= now;
        if (v->again_at <= now)
            wanted_call(v);
        else if (is_leaving)
            wanted_leave(v);
    }
    owed_tick(w, now);
    choose_tick(w, now);
    wanted_late(w, now);
    if (w->is_stale)
        wanted_keep(w);
    else
        wanted_arm(w);
}

void wanted_arm(struct wanted *w)
{
    om_time at = w->is_stale ? w->keep_at : OM_NEVER, now = om_clock_now();

    at = om_time_min(at, om_time_min(owed_deadline(w), choose_deadline(w)));
    at = om_time_min(at, wanted_late_deadline(w));
    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l)) {
        const struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        at = om_time_min(at, om_time_min(v->again_at, v->leave_at));
    }
    if (at == OM_NEVER)
        (void)uv_timer_stop(&w->timer);
    else
        (void)uv_timer_start(&w->timer, on_timer,
                             at <= now ? 1 : (uint64_t)((at - now + US_PER_MS - 1) / US_PER_MS), 0);
}

/* Is the machine one of this very node? */
static bool is_own(const struct wanted_vm *v)
{
    const struct daemon_network *net = daemon_network(v->hub->d, &v->network);

    return net && om_id_equal(&v->provider, &net->self);
}

json_t *wanted_show(const struct wanted_vm *v)
{
    om_time now = om_clock_now();
    json_t *left = v->until == OM_NEVER
                       ? json_null()
                       : json_integer(v->until > now ? (v->until - now) / US_PER_S : 0);

    json_t *o =
        json_pack("{s:s, s:s, s:o, s:o, s:b, s:b, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "vm",
                  v->vm, "key", v->key, "network", control_id(&v->network), "provider",
                  control_id(&v->provider), "self", is_own(v) ? 1 : 0, "bound", v->is_bound ? 1 : 0,
                  "state", v->state, "end", v->end, "text", v->text, "left_s", left, "address",
                  v->address, "host_key", v->host_key, "engine", v->engine, "image", v->image);

    access_show(v, o);
    return o;
}

/* What the next run needs: besides what programs are shown, how long a machine may live. */
static json_t *rows_of(const struct wanted *w)
{
    json_t *all = json_array();

    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l)) {
        const struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        json_t *row = wanted_show(v);
        (void)json_object_set_new(row, "keep_s", json_integer(v->keep / US_PER_S));
        (void)json_array_append_new(all, row);
    }
    owed_rows(w, all);
    return all;
}

static void write_file(struct wanted *w)
{
    json_t *all = rows_of(w);
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    struct om_error err = {.msg = "no memory"};
    struct om_logline line;

    w->is_stale = false;
    ssh_files_write(w);
    json_decref(all);
    if ((!text ||
         om_secret_write(w->d->place.home, KEPT, text, strlen(text), true, &err) != OM_OK) &&
        om_log_begin(&line, &w->d->log, OM_LOG_WARN, "vm", KEPT " cannot be written")) {
        om_log_str(&line, "why", err.msg);
        om_log_end(&line);
    }
    free(text);
}

void wanted_keep(struct wanted *w)
{
    om_time now = om_clock_now();

    w->is_stale = true;
    if (w->keep_at <= now) {
        w->keep_at = now + OM_MS(KEEP_EVERY_MS);
        write_file(w);
    }
    wanted_arm(w);
}

static struct wanted_vm *wanted_new(struct wanted *w, const struct om_id *network,
                                    const struct om_id *provider, const char *key)
{
    struct wanted_vm *v = w->count < WANTED_MAX ? calloc(1, sizeof *v) : NULL;

    if (!v)
        return NULL;
    v->hub = w;
    v->network = *network;
    v->provider = *provider;
    v->again_at = v->leave_at = v->until = v->word_by = v->lost_until = v->known_by = OM_NEVER;
    v->again_ms = WANTED_AGAIN_MS;
    (void)snprintf(v->key, sizeof v->key, "%s", key);
    (void)snprintf(v->state, sizeof v->state, "asked");
    om_list_push_back(&w->machines, &v->link);
    w->count++;
    return v;
}

void wanted_drop(struct wanted_vm *v)
{
    access_close(v);
    om_calls_hang_up(v->hub->d->calls, &v->owner, OM_CLOSE_DONE);
    om_line_fini(&v->in);
    json_decref(v->spec);
    om_list_remove(&v->link);
    v->hub->count--;
    free(v);
}

void wanted_sentence(char *out, size_t size, struct om_bytes in)
{
    if (in.n < size && om_vm_text_is_plain((const char *)in.p, in.n))
        (void)snprintf(out, size, "%.*s", (int)in.n, (const char *)in.p);
    else
        (void)om_text_escape(out, size, in);
}

/* A text of the provider's; what is wrong leaves @out as it was. */
static void read_word(char *out, size_t size, const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    if (text && (!*text || om_vm_name_is_plain(text, size - 1)))
        (void)snprintf(out, size, "%s", text);
}

static void read_event(struct wanted_vm *v, const json_t *o)
{
    const json_t *left = json_object_get(o, "left_s");
    const char *key = json_string_value(json_object_get(o, "host_key"));
    const char *address = json_string_value(json_object_get(o, "address"));
    const char *text = json_string_value(json_object_get(o, "text"));
    const char *id = json_string_value(json_object_get(o, "vm"));
    uint8_t ip[16];

    if (!*v->vm && id && access_is_id(v, id)) /* it never changes */
        (void)snprintf(v->vm, sizeof v->vm, "%s", id);
    read_word(v->state, sizeof v->state, o, "state");
    read_word(v->end, sizeof v->end, o, "end");
    read_word(v->engine, sizeof v->engine, o, "engine");
    read_word(v->image, sizeof v->image, o, "image");
    if (key && strlen(key) < sizeof v->host_key && om_vm_ssh_key_check(key, NULL) == OM_OK)
        (void)snprintf(v->host_key, sizeof v->host_key, "%s", key);
    if (address && om_addr_ip_parse(ip, address))
        (void)snprintf(v->address, sizeof v->address, "%.60s", address);
    if (text)
        wanted_sentence(v->text, sizeof v->text, om_bytes(text, strlen(text)));
    if (json_is_integer(left) && json_integer_value(left) >= 0 &&
        json_integer_value(left) < INT32_MAX)
        v->until = om_clock_now() + OM_SEC(json_integer_value(left));
    access_open(v);
}

/* It could neither be reached nor released. */
static void nameless(struct wanted_vm *v)
{
    struct wanted *w = v->hub;
    struct om_error err;

    (void)om_fail(&err, OM_E_PARSE, "the provider gave the machine no id that can be one");
    if (v->number)
        control_vm_answer(w->d->control, v->number, &v->network, &v->provider, NULL, &err);
    struct choose *run = v->run;
    if (strcmp(v->state, "gone") != 0)
        owed_add(v);
    wanted_drop(v);
    wanted_keep(w);
    if (run)
        choose_refused(run, &err);
}

/* The choice is over, or, as @v ended before it was anything, goes on: then @v is gone, too. */
static bool first_word(struct wanted_vm *v)
{
    struct choose *run = v->run;
    struct om_error err;

    v->run = NULL;
    if (strcmp(v->state, "gone") != 0) {
        choose_granted(run, wanted_show(v));
        return false;
    }
    (void)om_fail(&err, OM_E_STATE, "it ended at once%s%.150s", *v->text ? ": " : "", v->text);
    wanted_keep(v->hub);
    wanted_drop(v);
    choose_refused(run, &err);
    return true;
}

bool wanted_event(struct wanted_vm *v, const json_t *event)
{
    struct wanted *w = v->hub;
    const char *kind = json_string_value(json_object_get(event, "event"));

    if (!kind)
        return true;
    if (strcmp(kind, "warning") == 0)
        (void)snprintf(v->text, sizeof v->text, "its lease ends soon");
    read_event(v, event);
    if (!*v->vm) {
        nameless(v);
        return false;
    }
    v->word_by = v->lost_until = OM_NEVER;
    v->again_ms = WANTED_AGAIN_MS;
    if (v->run && first_word(v))
        return false;
    if (v->number) {
        uint64_t number = v->number;
        v->number = 0;
        control_vm_answer(w->d->control, number, &v->network, &v->provider, wanted_show(v), NULL);
    }
    bool is_gone = strcmp(v->state, "gone") == 0;
    uint64_t client = v->client;
    json_t *shown = wanted_show(v);
    if (is_gone)
        wanted_drop(v);
    wanted_keep(w);
    control_notify_vm(w->d->control, client, shown);
    return !is_gone;
}

struct wanted_vm *wanted_find_key(const struct wanted *w, const char *key)
{
    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l))
        if (strcmp(OM_CONTAINER_OF(l, struct wanted_vm, link)->key, key) == 0)
            return OM_CONTAINER_OF(l, struct wanted_vm, link);
    return NULL;
}

static struct wanted_vm *find_name(const struct wanted *w, const char *name)
{
    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l)) {
        struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        if (*v->vm && *name && strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

struct wanted_vm *wanted_named(const struct wanted *w, const char *text)
{
    static const char start[] = "vm-";
    struct wanted_vm *v = find_name(w, text);

    if (v || strncmp(text, start, sizeof start - 1) != 0 || strlen(text) < sizeof start)
        return v;
    return wanted_find(w, text, NULL);
}

struct wanted_vm *wanted_find(const struct wanted *w, const char *name, struct om_error *err)
{
    struct wanted_vm *found = NULL;
    size_t n = name ? strlen(name) : 0;

    if (name && (found = find_name(w, name)))
        return found;

    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l)) {
        struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        if (!name ? !*v->vm : strncmp(v->vm, name, n) != 0)
            continue;
        if (found) {
            (void)om_fail(err, OM_E_RANGE, "there are several virtual machines: name one");
            return NULL;
        }
        found = v;
    }
    if (!found)
        (void)om_fail(err, OM_E_MISSING, "there is no such virtual machine (omerta vm list)");
    return found;
}

bool wanted_where(const struct wanted *w, const char *name, struct wanted_place *out,
                  struct om_error *err)
{
    const struct wanted_vm *v = wanted_find(w, name, err);

    if (!v)
        return false;
    *out = (struct wanted_place){.network = v->network, .provider = v->provider};
    (void)snprintf(out->vm, sizeof out->vm, "%s", v->vm);
    return true;
}

/* The longest that a machine of @spec, which was checked, may live. */
static om_time keep_of(const json_t *spec)
{
    struct om_vm_spec s;

    return om_vm_spec_read(&s, spec, NULL) == OM_OK ? s.ttl + s.timeout : 0;
}

json_t *wanted_request(struct wanted *w, struct control_ask *ask, const struct daemon_network *net,
                       const struct om_id *peer, const char *key, const json_t *spec,
                       struct om_error *err)
{
    struct wanted_vm *v = wanted_find_key(w, key);

    if (!peer)
        peer = &net->self;
    if (v) {
        v->client = ask->client->number;
        return wanted_show(v);
    }
    v = wanted_new(w, &net->id, peer, key);
    if (!v) {
        (void)om_fail(err, OM_E_FULL, "there are %d virtual machines already", WANTED_MAX);
        return NULL;
    }
    if (!access_read(v, ask->params, err)) {
        wanted_drop(v);
        return NULL;
    }
    v->client = ask->client->number;
    v->is_bound = json_is_true(json_object_get(ask->params, "bound"));
    v->keep = keep_of(spec);
    write_file(w); /* before it is asked for: then it may be there, whatever becomes of us */
    owed_forgive(w, peer, key);
    v->spec = json_deep_copy(spec);
    v->number = ++w->numbers;
    if (!v->spec || !control_wait_vm(ask, v->number, &net->id, peer, err)) {
        wanted_drop(v);
        return NULL;
    }
    wanted_call(v);
    return NULL;
}

bool wanted_try(struct wanted *w, struct choose *run, const struct daemon_network *net,
                const struct om_id *peer, const struct wanted_question *q, struct om_error *err)
{
    struct wanted_vm *v = wanted_new(w, &net->id, peer, q->key);

    (void)om_fail(err, OM_E_FULL, "there are %d virtual machines already", WANTED_MAX);
    if (!v)
        return false;
    v->client = q->client;
    v->is_bound = json_is_true(json_object_get(q->params, "bound"));
    v->keep = keep_of(q->spec);
    v->spec = json_deep_copy(q->spec);
    if (!v->spec || !access_read(v, q->params, err)) {
        wanted_drop(v);
        return false;
    }
    v->run = run;
    write_file(w);
    owed_forgive(w, peer, q->key);
    wanted_call(v);
    return true;
}

json_t *wanted_short(struct wanted *w, struct control_ask *ask, const char *method,
                     const struct daemon_network *net, const struct om_id *peer,
                     struct om_error *err)
{
    const char *name = json_string_value(json_object_get(ask->params, "vm"));
    struct wanted_vm *v = peer ? NULL : wanted_find(w, name, err);
    json_t *args = json_object();

    if (!peer && !v) {
        json_decref(args);
        return NULL;
    }
    const struct om_id *network = v ? &v->network : &net->id;
    const struct om_id *whom = v ? &v->provider : peer;
    if (v || name)
        (void)json_object_set_new(args, "vm", json_string(v ? v->vm : name));
    (void)json_object_set(args, "ttl", json_object_get(ask->params, "ttl")); /* absent: nothing */
    uint64_t number = ++w->numbers;
    if (wanted_ask(w, network, whom, method, args, number, err))
        (void)control_wait_vm(ask, number, network, whom, err);
    return NULL;
}

json_t *wanted_list(const struct wanted *w)
{
    json_t *out = json_array();

    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l))
        (void)json_array_append_new(out, wanted_show(OM_CONTAINER_OF(l, struct wanted_vm, link)));
    return out;
}

static void take_up(struct wanted *w, const json_t *o)
{
    const char *key = json_string_value(json_object_get(o, "key"));
    const char *network = json_string_value(json_object_get(o, "network"));
    const char *provider = json_string_value(json_object_get(o, "provider"));
    struct om_id net, peer;

    if (!key || !om_vm_name_is_plain(key, WANTED_WORD) || !network || !provider ||
        om_id_parse(&net, network, NULL) != OM_OK || om_id_parse(&peer, provider, NULL) != OM_OK)
        return;
    const char *state = json_string_value(json_object_get(o, "state"));
    if (state && strcmp(state, OWED_STATE) == 0) {
        owed_recall(w, &net, &peer, o);
        return;
    }
    struct wanted_vm *v = wanted_new(w, &net, &peer, key);
    if (!v)
        return;
    (void)access_read(v, o, NULL); /* what makes no sense reaches nothing */
    read_event(v, o);
    json_int_t keep = json_integer_value(json_object_get(o, "keep_s"));
    v->keep = keep > 0 && keep < INT32_MAX ? OM_SEC(keep) : 0;
    wanted_again(v);
    if (is_own(v))
        v->again_at = om_clock_now();
    v->is_bound = json_is_true(json_object_get(o, "bound"));
    wanted_unbind(v);
}

static bool load(struct wanted *w, struct om_error *err)
{
    char *text = calloc(1, FILE_BYTES);
    json_error_t at;
    json_t *all = NULL, *one;
    size_t n = 0, i;

    (void)om_fail(err, OM_E_NO_MEM, "no memory for " KEPT);
    enum om_err e =
        text ? om_secret_read(w->d->place.home, KEPT, text, FILE_BYTES, &n, err) : OM_E_NO_MEM;
    if (e == OM_OK)
        all = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
    if (e == OM_OK && !all)
        (void)om_fail(err, OM_E_PARSE, KEPT ": line %d: %.120s", at.line, at.text);
    bool is_read = e == OM_E_MISSING || json_is_array(all);
    json_array_foreach(all, i, one) take_up(w, one);
    json_decref(all);
    free(text);
    return is_read;
}

bool wanted_open(struct wanted **out, struct om_daemon *d, struct om_error *err)
{
    struct wanted *w = calloc(1, sizeof *w);

    if (!w || uv_timer_init(&d->loop, &w->timer) < 0) {
        free(w);
        return om_fail(err, OM_E_NO_MEM, "no memory for virtual machines") == OM_OK;
    }
    w->d = d;
    ssh_files_find(w);
    w->timer.data = w;
    om_list_init(&w->machines);
    om_list_init(&w->asks);
    om_list_init(&w->runs);
    om_list_init(&w->owed);
    *out = w;
    if (!load(w, err))
        return false;
    ssh_files_write(w);
    wanted_arm(w);
    return true;
}

static void on_timer_closed(uv_handle_t *h)
{
    ssh_files_free(h->data);
    free(h->data);
}

void wanted_close(struct wanted *w)
{
    struct om_link *next;

    if (!w)
        return;
    choose_stop(w);
    if (w->is_stale)
        write_file(w);
    owed_stop(w);
    for (struct om_link *l = om_list_first(&w->asks); l; l = next) {
        next = om_list_next(&w->asks, l);
        wanted_ask_drop(OM_CONTAINER_OF(l, struct wanted_ask, link));
    }
    for (struct om_link *l = om_list_first(&w->machines); l; l = next) {
        next = om_list_next(&w->machines, l);
        wanted_drop(OM_CONTAINER_OF(l, struct wanted_vm, link));
    }
    uv_close((uv_handle_t *)&w->timer, on_timer_closed);
}
