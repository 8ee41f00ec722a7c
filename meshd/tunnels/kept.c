/* kept.c - rules that outlive the daemon, also those that cannot stand for now. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "host/secret_file.h"
#include "tunnels/parts.h"

enum { FILE_MAX = 1024 * 1024 }; /* of all rules there may be, as long as they may be */

#define KEPT "tunnels.json"

static const char *const lists[] = {"exposed", "forwards"}; /* by is_forward */

bool tunnel_rules_save(const struct tunnels *t, struct om_error *err)
{
    json_t *kept[] = {json_array(), json_array()};
    bool is_saved = false;

    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        const struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (r->keep && !r->is_guest)
            (void)json_array_append_new(kept[r->is_forward], tunnel_rule_kept(r));
    }
    json_t *o = json_pack("{s:o, s:o}", lists[1], kept[1], lists[0], kept[0]);
    char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    if (text) {
        is_saved = om_secret_write(t->d->place.home, KEPT, text, strlen(text), true, err) == OM_OK;
        sodium_memzero(text, strlen(text));
    } else {
        (void)om_fail(err, OM_E_NO_MEM, "no memory for %s", KEPT);
    }
    free(text);
    json_decref(o);
    return is_saved;
}

static bool is_list(const json_t *o, const char *name)
{
    const json_t *list = json_object_get(o, name);

    return !list || json_is_array(list);
}

/* The kept rules of @home; NULL and OM_OK when there are none. */
static enum om_err read_kept(const char *home, json_t **out, struct om_error *err)
{
    char *text = malloc(FILE_MAX);
    enum om_err e = text ? OM_OK : om_fail(err, OM_E_NO_MEM, "no memory for %s", KEPT);
    size_t n = 0;
    json_error_t at;

    *out = NULL;
    if (e == OM_OK)
        e = om_secret_read(home, KEPT, text, FILE_MAX, &n, err);
    if (e == OM_OK)
        *out = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
    if (e == OM_OK && !*out) /* what jansson says may quote a password */
        e = om_fail(err, OM_E_PARSE, "%.100s/%s: line %d: no JSON", home, KEPT, at.line);
    if (text)
        sodium_memzero(text, n);
    free(text);
    if (e == OM_OK &&
        !(json_is_object(*out) && is_list(*out, lists[0]) && is_list(*out, lists[1]))) {
        json_decref(*out);
        *out = NULL;
        e = om_fail(err, OM_E_PARSE, "%.100s/%s: want the lists \"%s\" and \"%s\"", home, KEPT,
                    lists[1], lists[0]);
    }
    return e == OM_E_MISSING ? OM_OK : e;
}

static void say(struct tunnel_rule *r, enum om_level level, const char *what, const char *why)
{
    struct om_logline line;

    if (!om_log_begin(&line, &r->tunnels->d->log, level, "tunnel", what))
        return;
    om_log_str(&line, "list", lists[r->is_forward]);
    om_log_u64(&line, "id", r->number);
    if (why)
        om_log_str(&line, "why", why);
    om_log_end(&line);
}

static void on_again(uv_timer_t *timer);

static void try_again_later(struct tunnel_rule *r, const char *why)
{
    tunnel_rule_fail(r, why);
    (void)uv_timer_start(&r->again, on_again, r->again_ms, 0);
    r->again_ms = tunnel_again_after(r->again_ms);
}

/* @made comes to where @r is, who goes. */
static void replace(struct tunnel_rule *r, struct tunnel_rule *made)
{
    struct om_list *rules = &r->tunnels->rules;
    struct om_link *l = om_list_next(rules, &r->link);

    made->number = r->number;
    tunnel_rule_add(made);
    while (l != &made->link) { /* those behind it stay behind it */
        struct om_link *next = om_list_next(rules, l);
        om_list_remove(l);
        om_list_push_back(rules, l);
        l = next;
    }
    tunnel_rule_drop(r);
}

static void on_again(uv_timer_t *timer)
{
    struct tunnel_rule *r = timer->data;
    struct om_error err = {.msg = ""};

    r->tunnels->rule_count--; /* its place is free for what it becomes */
    struct tunnel_rule *made = tunnel_rule_make(r->tunnels, r->is_forward, r->words, &err);
    r->tunnels->rule_count++;
    if (!made) {
        try_again_later(r, err.msg);
        return;
    }
    say(r, OM_LOG_INFO, "a kept rule stands again", NULL);
    replace(r, made);
    if (made->is_remote)
        tunnel_remote_start(made);
    om_calls_kick(made->tunnels->d->calls);
}

/* What @words say waits, and is kept, until it can stand. */
static struct tunnel_rule *wait_for(struct tunnels *t, bool forwards, json_t *words)
{
    static const struct om_id nowhere;
    struct tunnel_rule *r = tunnel_rule_new(t, &nowhere);

    if (!r)
        return NULL;
    r->words = json_incref(words);
    r->is_forward = forwards;
    r->keep = true;
    r->again_ms = TUNNEL_AGAIN_MS;
    r->again.data = r;
    (void)uv_timer_init(&t->d->loop, &r->again);
    return r;
}

static bool has_number(const struct tunnels *t, uint64_t number)
{
    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l))
        if (OM_CONTAINER_OF(l, struct tunnel_rule, link)->number == number)
            return true;
    return false;
}

/* 0: it has none yet. */
static uint64_t number_of(const json_t *words)
{
    json_int_t n = json_integer_value(json_object_get(words, "id"));

    return n > 0 && n < TUNNEL_NUMBERS_MAX ? (uint64_t)n : 0;
}

/* False: there are too many. */
static bool load_one(struct tunnels *t, bool forwards, json_t *words, struct om_error *err)
{
    struct tunnel_rule *made = tunnel_rule_make(t, forwards, words, err);
    struct tunnel_rule *r = made ? made : wait_for(t, forwards, words);
    uint64_t number = number_of(words);

    if (!r)
        return false;
    r->number = has_number(t, number) ? 0 : number;
    tunnel_rule_add(r);
    if (!made) {
        say(r, OM_LOG_WARN, "a kept rule does not stand", err->msg);
        try_again_later(r, err->msg);
    } else if (made->is_remote) {
        tunnel_remote_start(made);
    }
    return true;
}

bool tunnel_rules_load(struct tunnels *t, struct om_error *err)
{
    struct om_error why = {.msg = ""};
    struct om_logline line;
    bool is_numbered = true;
    json_t *o, *rule;
    size_t i;

    if (read_kept(t->d->place.home, &o, err) != OM_OK)
        return false;
    for (int forwards = 0; forwards < 2; forwards++)
        json_array_foreach(json_object_get(o, lists[forwards]), i, rule)
        {
            uint64_t number = number_of(rule);
            is_numbered &= number > 0;
            t->numbers = number > t->numbers ? number : t->numbers;
        }
    for (int forwards = 1; forwards >= 0; forwards--)
        json_array_foreach(json_object_get(o, lists[forwards]), i, rule)
        {
            if (!load_one(t, forwards, rule, &why) &&
                om_log_begin(&line, &t->d->log, OM_LOG_WARN, "tunnel", "a kept rule is left out")) {
                om_log_str(&line, "why", why.msg);
                om_log_end(&line);
            }
        }
    json_decref(o);
    return is_numbered || tunnel_rules_save(t, err);
}

/* Does @words make sense, whatever listens and whoever is there? */
static enum om_err check_one(struct tunnels *t, bool forwards, const json_t *words,
                             struct om_error *err)
{
    static const struct om_id nowhere;
    struct tunnel_rule *r = tunnel_rule_new(t, &nowhere);

    if (!r)
        return om_fail(err, OM_E_NO_MEM, "no memory for a rule");
    r->is_udp = json_is_true(json_object_get(words, "udp"));
    bool is_good = forwards ? tunnel_rule_read_forward(r, words, err)
                            : tunnel_rule_read_exposed(r, words, err);
    tunnel_rule_free(r);
    return is_good ? OM_OK : OM_E_RANGE;
}

enum om_err tunnels_check(struct om_daemon *d, struct om_error *err)
{
    struct tunnels t = {.d = d};
    struct om_error why = {.msg = ""};
    json_t *o, *rule;
    size_t i;
    enum om_err e = read_kept(d->place.home, &o, err);

    om_list_init(&t.rules);
    for (int forwards = 1; forwards >= 0 && e == OM_OK; forwards--)
        json_array_foreach(json_object_get(o, lists[forwards]), i, rule)
        {
            e = check_one(&t, forwards, rule, &why);
            if (e == OM_OK)
                continue;
            (void)om_fail(err, e, "%.100s/%s: %s, number %u: %.120s", d->place.home, KEPT,
                          lists[forwards], (unsigned)i + 1, why.msg);
            break;
        }
    json_decref(o);
    return e;
}
