/* choose.c - providers are asked one after the other. */
#include "service/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "host/clock.h"
#include "names.h"
#include "service/offers.h"
#include "service/owed.h"
#include "service/wanted_parts.h"
#include "vm/core/spec.h"

enum { NAME_TEXT = 64 };

struct choose {
    struct om_link link;
    struct wanted *hub;
    struct om_id network, self, asked[CHOOSE_MAX];
    unsigned count; /* asked */
    uint64_t number, client;
    char key[WANTED_WORD + 1];
    json_t *spec, *params;
    struct om_vm_spec words; /* the same, read */
    om_time until, try_until;
};

static void finish(struct choose *run)
{
    om_list_remove(&run->link);
    run->hub->run_count--;
    json_decref(run->spec);
    json_decref(run->params);
    free(run);
}

/* "short id (name)" of @provider. */
static void show_provider(const struct choose *run, const struct om_id *provider,
                          char out[static NAME_TEXT])
{
    char brief[OM_ID_SHORT], name[OM_SHOW_TEXT], called[NAMES_TEXT];

    (void)om_text_show(name, names_of(run->hub->d, &run->network, provider, called));
    (void)snprintf(out, NAME_TEXT, *called ? "%s (%.40s)" : "%s", om_id_short(provider, brief),
                   name);
}

/* Tells the program, and whoever listens, that @next is asked now, after @err. */
static void tell(const struct choose *run, const struct om_id *next, const struct om_error *err)
{
    char text[OM_ERROR_MSG_MAX + 3 * NAME_TEXT], name[NAME_TEXT], before[NAME_TEXT];

    show_provider(run, next, name);
    if (run->count > 1)
        show_provider(run, &run->asked[run->count - 2], before);
    if (run->count > 1)
        (void)snprintf(text, sizeof text, "asked %s: %s; asking %s", before, err->msg, name);
    else
        (void)snprintf(text, sizeof text, "asking %s", name);
    control_notify_vm(run->hub->d->control, run->client,
                      json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:i}", "vm", "", "key", run->key,
                                "network", control_id(&run->network), "provider", control_id(next),
                                "state", "asking", "text", control_text(text, strlen(text)),
                                "asked", (int)run->count));
}

static bool was_asked(const struct choose *run, const struct om_id *provider)
{
    for (unsigned i = 0; i < run->count; i++)
        if (om_id_equal(&run->asked[i], provider))
            return true;
    return false;
}

/* The best provider that was not asked yet; where none fits one that was full; false when there is
 * none of these either. */
static bool find_next(const struct choose *run, struct om_id *out)
{
    const struct om_vm_need need = {.amount = om_vm_spec_amount(&run->words),
                                    .image = run->words.image};
    struct offers *o = run->hub->d->offers;
    const struct offer_row **rows = calloc(OFFERS_MAX, sizeof(const struct offer_row *));
    struct om_vm_candidate *c = calloc(OFFERS_MAX, sizeof *c);
    unsigned n = rows && c ? offers_collect(o, &run->network, rows) : 0, kept = 0;

    for (unsigned i = 0; i < n; i++)
        if (!was_asked(run, &rows[i]->provider))
            c[kept++] = offers_candidate(o, rows[i]);
    unsigned fit = kept > 0 ? om_vm_choose_sort(c, kept, &need) : 0, at = 0;
    while (fit == 0 && at < kept && !om_vm_choose_was_full(c[at].offer, &need))
        at++;
    bool is_there = at < kept;
    if (is_there)
        *out = c[at].id;
    free(rows);
    free(c);
    return is_there;
}

static void answer(struct choose *run, const struct om_error *err)
{
    control_vm_answer(run->hub->d->control, run->number, &run->network, &run->self, NULL, err);
    finish(run);
}

static void give_up(struct choose *run, const struct om_error *last)
{
    struct om_error err;

    if (run->count == 0 || !last)
        (void)om_fail(&err, OM_E_MISSING,
                      "no provider is known that fits (omerta providers --all; for this node"
                      " itself: --provider self)");
    else if (run->count == 1)
        (void)om_fail(&err, last->code, "asked 1 provider, which gave none: %.160s", last->msg);
    else
        (void)om_fail(&err, last->code, "asked %u providers, none gave one; the last: %.160s",
                      run->count, last->msg);
    answer(run, &err);
}

static void ask_next(struct choose *run, const struct om_error *last)
{
    struct wanted *w = run->hub;
    const struct daemon_network *net = daemon_network(w->d, &run->network);
    struct om_id next;

    if (run->count == CHOOSE_MAX || !net || om_clock_now() >= run->until ||
        !find_next(run, &next)) {
        give_up(run, last);
        return;
    }
    run->asked[run->count++] = next;
    run->try_until = om_clock_now() + OM_SEC(CHOOSE_TRY_S);
    tell(run, &next, last);
    wanted_arm(w);
    const struct wanted_question q = {
        .key = run->key, .spec = run->spec, .params = run->params, .client = run->client};
    struct om_error err;
    if (!wanted_try(w, run, net, &next, &q, &err))
        answer(run, &err);
}

json_t *choose_start(struct wanted *w, struct control_ask *ask, const struct daemon_network *net,
                     const char *key, const json_t *spec, struct om_error *err)
{
    struct wanted_vm *known = wanted_find_key(w, key);
    struct choose *run = NULL;

    if (known)
        return wanted_show(known);
    (void)om_fail(err, OM_E_FULL, "%d requests are under way already", CHOOSE_RUNS_MAX);
    if (w->run_count < CHOOSE_RUNS_MAX)
        run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->hub = w;
    run->network = net->id;
    run->self = net->self;
    run->client = ask->client->number;
    run->number = ++w->numbers;
    (void)snprintf(run->key, sizeof run->key, "%s", key);
    run->spec = json_deep_copy(spec);
    run->params = json_deep_copy(ask->params);
    om_list_push_back(&w->runs, &run->link);
    w->run_count++;
    if (!run->spec || !run->params || om_vm_spec_read(&run->words, spec, err) != OM_OK ||
        !control_wait_vm(ask, run->number, &net->id, &net->self, err)) {
        finish(run);
        return NULL;
    }
    run->until = om_clock_now() + run->words.timeout;
    ask_next(run, NULL);
    return NULL;
}

void choose_granted(struct choose *run, json_t *shown)
{
    struct om_daemon *d = run->hub->d;

    offers_outcome(d->offers, &run->network, &run->asked[run->count - 1], true);
    control_vm_answer(d->control, run->number, &run->network, &run->self, shown, NULL);
    finish(run);
}

void choose_refused(struct choose *run, const struct om_error *err)
{
    offers_outcome(run->hub->d->offers, &run->network, &run->asked[run->count - 1], false);
    ask_next(run, err);
}

static struct wanted_vm *tried(const struct choose *run)
{
    const struct wanted *w = run->hub;

    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l))
        if (OM_CONTAINER_OF(l, struct wanted_vm, link)->run == run)
            return OM_CONTAINER_OF(l, struct wanted_vm, link);
    return NULL;
}

void choose_tick(struct wanted *w, om_time now)
{
    struct om_error err;

    (void)om_fail(&err, OM_E_STATE, "the provider says nothing about the machine");
    for (struct om_link *l = om_list_first(&w->runs), *next; l; l = next) {
        struct choose *run = OM_CONTAINER_OF(l, struct choose, link);
        struct wanted_vm *v = run->try_until <= now ? tried(run) : NULL;
        next = om_list_next(&w->runs, l);
        if (!v)
            continue;
        owed_add(v);
        wanted_drop(v);
        wanted_keep(w);
        choose_refused(run, &err);
    }
}

om_time choose_deadline(const struct wanted *w)
{
    om_time at = OM_NEVER;

    for (struct om_link *l = om_list_first(&w->runs); l; l = om_list_next(&w->runs, l))
        at = om_time_min(at, OM_CONTAINER_OF(l, struct choose, link)->try_until);
    return at;
}

void choose_client_gone(struct wanted *w, uint64_t client)
{
    for (struct om_link *l = om_list_first(&w->runs); l; l = om_list_next(&w->runs, l)) {
        struct choose *run = OM_CONTAINER_OF(l, struct choose, link);
        if (run->client == client && json_is_true(json_object_get(run->params, "bound")))
            run->until = om_clock_now();
    }
}

void choose_stop(struct wanted *w)
{
    for (struct om_link *l = om_list_first(&w->runs), *next; l; l = next) {
        next = om_list_next(&w->runs, l);
        finish(OM_CONTAINER_OF(l, struct choose, link));
    }
}
