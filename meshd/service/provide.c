/* provide.c - words to limits and back. */
#include "service/provide.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include <omerta/shaper.h>

#include "host/secret_file.h"

#define KEPT "provide.json"

enum {
    FILE_MAX_BYTES = 64 * 1024,
    PAUSE_MAX_S = 24 * 3600,
    PROVIDE_RATE_MIN = 16 * 1024, /* below, a frame takes too long */
    SECONDS_PER_HOUR = 3600
};

void provide_init(struct provide *p)
{
    *p = (struct provide){.is_owner_first = true,
                          .policy = GATE_PAUSE,
                          .pause = OM_SEC(PROVIDE_PAUSE_S),
                          .gate = LINK_GATE_CONNTRACK,
                          .lease = OM_SEC(PROVIDE_LEASE_S)};
}

/* A duration of up to @most_s under @key into @out; what is absent stays. */
static bool read_time(om_time *out, const json_t *words, const char *key, int most_s,
                      struct om_error *err)
{
    const json_t *value = json_object_get(words, key);
    const char *text = json_string_value(value);
    om_time t;

    if (!value)
        return true;
    if (!text || om_duration_parse(&t, text, NULL) != OM_OK || t < OM_SEC(1) || t > OM_SEC(most_s))
        return om_fail(err, OM_E_PARSE, "\"%s\": want a duration of 1s to %dh", key,
                       most_s / SECONDS_PER_HOUR) == OM_OK;
    *out = t;
    return true;
}

/* What the owner says of KVM. */
static bool read_accel(struct provide *p, const json_t *words, struct om_error *err)
{
    const json_t *accel = json_object_get(words, "accel");

    if (accel &&
        (!json_is_string(accel) || !om_vm_accel_want_read(&p->accel, json_string_value(accel))))
        return om_fail(err, OM_E_PARSE, "\"accel\": want auto, kvm or tcg") == OM_OK;
    return true;
}

/* What guests may do beyond being there. */
static bool read_gate(struct provide *p, const json_t *words, struct om_error *err)
{
    const json_t *policy = json_object_get(words, "violations"),
                 *gate = json_object_get(words, "gate"), *rate = json_object_get(words, "rate");
    json_int_t n = json_integer_value(rate);

    if (policy &&
        (!json_is_string(policy) || !gate_policy_read(&p->policy, json_string_value(policy))))
        return om_fail(err, OM_E_PARSE, "\"violations\": want log, warn, pause or kill") == OM_OK;
    if (gate && (!json_is_string(gate) || !link_gate_mode_read(&p->gate, json_string_value(gate))))
        return om_fail(err, OM_E_PARSE, "\"gate\": want conntrack, filtered or sampled") == OM_OK;
    if (rate && (!json_is_integer(rate) || n < 0 || (n > 0 && n < PROVIDE_RATE_MIN) ||
                 n > (json_int_t)OM_SHAPER_RATE_MAX))
        return om_fail(err, OM_E_RANGE, "\"rate\": want 0 (any), or %d to %u bytes a second",
                       PROVIDE_RATE_MIN, OM_SHAPER_RATE_MAX) == OM_OK;
    if (rate)
        p->rate = (uint32_t)n;
    return read_time(&p->pause, words, "pause", PAUSE_MAX_S, err) &&
           read_time(&p->lease, words, "max_lease", PROVIDE_MOST_S, err);
}

static bool read_peers(struct provide *p, const json_t *to, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    const json_t *one;
    size_t i;

    p->is_for_all = false;
    p->peers = 0;
    json_array_foreach(to, i, one)
    {
        const char *text = json_string_value(one);
        if (text && strcmp(text, "*") == 0) {
            p->is_for_all = true;
            continue;
        }
        if (p->peers == PROVIDE_PEERS_MAX)
            return om_fail(err, OM_E_FULL, "\"to\": at most %d peers", PROVIDE_PEERS_MAX) == OM_OK;
        if (!text || om_id_parse(&p->peer[p->peers], text, NULL) != OM_OK)
            return om_fail(err, OM_E_PARSE, "\"to\": want full peer ids or *, not \"%s\"",
                           om_text_show(shown, text ? text : "")) == OM_OK;
        p->peers++;
    }
    return true;
}

bool provide_read(struct provide *p, const json_t *words, struct om_error *err)
{
    const json_t *limits = json_object_get(words, "limits"), *on = json_object_get(words, "on"),
                 *to = json_object_get(words, "to"), *first = json_object_get(words, "owner_first");
    struct provide next = *p;

    if (!json_is_object(words) || (on && !json_is_boolean(on)) || (to && !json_is_array(to)) ||
        (first && !json_is_boolean(first)))
        return om_fail(err, OM_E_PARSE,
                       "want {on: true or false, to: [peers], owner_first: true or false, limits:"
                       " {...}}") == OM_OK;
    if (first)
        next.is_owner_first = json_is_true(first);
    if (on)
        next.is_on = json_is_true(on);
    if (limits && om_vm_limits_read(&next.limits, limits, err) != OM_OK)
        return false;
    if ((to && !read_peers(&next, to, err)) || !read_gate(&next, words, err) ||
        !read_accel(&next, words, err))
        return false;
    if (next.is_on && next.limits.most[OM_VM_SCOPE_ALL].vms == 0)
        return om_fail(
                   err, OM_E_RANGE,
                   "say how much may be taken of all together (omerta provide on --vms 2 --cpu 2 "
                   "--memory 2G --disk 8G)") == OM_OK;
    *p = next;
    return true;
}

static json_t *duration(om_time t)
{
    char text[OM_DURATION_TEXT];

    return json_string(om_duration_print(t, text, sizeof text));
}

json_t *provide_write(const struct provide *p)
{
    json_t *to = json_array();
    char id[OM_ID_TEXT];

    if (p->is_for_all)
        (void)json_array_append_new(to, json_string("*"));
    for (unsigned i = 0; i < p->peers; i++)
        (void)json_array_append_new(to, json_string(om_id_print(&p->peer[i], id)));
    json_t *o = json_pack("{s:b, s:o, s:b, s:s, s:o, s:s, s:I, s:o, s:s}", "on", p->is_on, "to", to,
                          "owner_first", p->is_owner_first, "violations",
                          gate_policy_name(p->policy), "pause", duration(p->pause), "gate",
                          link_gate_mode_name(p->gate), "rate", (json_int_t)p->rate, "max_lease",
                          duration(p->lease), "accel", om_vm_accel_want_name(p->accel));
    if (o && p->limits.most[OM_VM_SCOPE_ALL].vms > 0)
        (void)json_object_set_new(o, "limits", om_vm_limits_write(&p->limits));
    return o;
}

bool provide_load(struct provide *p, const char *home, struct om_error *err)
{
    char *text = calloc(1, FILE_MAX_BYTES);
    json_error_t at;
    size_t n = 0;

    provide_init(p);
    if (!text)
        return om_fail(err, OM_E_NO_MEM, "no memory for " KEPT) == OM_OK;
    enum om_err e = om_secret_read(home, KEPT, text, FILE_MAX_BYTES, &n, err);
    json_t *words = e == OM_OK ? json_loadb(text, n, JSON_REJECT_DUPLICATES, &at) : NULL;
    if (e == OM_OK && !words)
        (void)om_fail(err, OM_E_PARSE, KEPT ": line %d: %.120s", at.line, at.text);
    bool is_read = e == OM_E_MISSING || (words && provide_read(p, words, err));
    json_decref(words);
    free(text);
    return is_read;
}

bool provide_save(const struct provide *p, const char *home, struct om_error *err)
{
    json_t *words = provide_write(p);
    char *text = words ? json_dumps(words, JSON_INDENT(2)) : NULL;
    bool is_kept = text && om_secret_write(home, KEPT, text, strlen(text), true, err) == OM_OK;

    if (!text)
        (void)om_fail(err, OM_E_NO_MEM, "no memory for " KEPT);
    json_decref(words);
    free(text);
    return is_kept;
}

bool provide_allows(const struct provide *p, const struct om_id *peer, bool is_open)
{
    if (p->is_for_all && !is_open)
        return true;
    for (unsigned i = 0; i < p->peers; i++)
        if (om_id_equal(&p->peer[i], peer))
            return true;
    return false;
}
