/* providers.c - who provides virtual machines. */
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "control/methods.h"
#include "control/parts.h"
#include "host/clock.h"
#include "service/offers.h"

/* What @params want, of which what is absent is no condition. */
static bool read_need(const json_t *params, struct om_vm_spec *spec, struct om_vm_need *need,
                      struct om_error *err)
{
    static const char *const words[] = {"cpus", "memory", "disk", "image"};
    json_t *given = json_object();

    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        (void)json_object_set(given, words[i], json_object_get(params, words[i]));
    bool is_read = om_vm_spec_read(spec, given, err) == OM_OK;
    *need = (struct om_vm_need){.image = ""};
    if (is_read && json_object_get(given, "cpus"))
        need->amount.cpus = spec->cpus;
    if (is_read && json_object_get(given, "memory"))
        need->amount.memory_mib = spec->memory_mib;
    if (is_read && json_object_get(given, "disk"))
        need->amount.disk_mib = spec->disk_mib;
    if (is_read && json_object_get(given, "image"))
        need->image = spec->image;
    json_decref(given);
    return is_read;
}

static json_t *row_json(const struct control_ask *ask, const struct daemon_network *net,
                        const struct offer_row *row, const struct om_vm_candidate *c,
                        const struct om_vm_need *need)
{
    const struct om_vm_offer *o = c->offer;
    struct om_announce a = {.name = ""};
    char why[OM_VM_CHOOSE_WHY];
    json_t *images = json_array();
    bool is_fit = om_vm_choose_fits(o, need, why);

    (void)!om_node_record(daemon_node(ask->d), &net->id, &c->id, &a, NULL);
    for (unsigned i = 0; i < o->images; i++)
        (void)json_array_append_new(images, json_string(o->image[i]));
    return json_pack(
        "{s:o, s:o, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:b, s:b, s:i, s:o,"
        " s:I, s:i}",
        "provider", control_id(&c->id), "name", control_text(a.name, strlen(a.name)), "network",
        net->name, "fits", is_fit ? 1 : 0, "why", why, "engine", om_vm_offer_engine_name(o->engine),
        "vms", (json_int_t)o->free.vms, "cpus", (json_int_t)o->free.cpus, "memory_mib",
        (json_int_t)o->free.memory_mib, "disk_mib", (json_int_t)o->free.disk_mib, "images", images,
        "more_images", o->has_more_images ? 1 : 0, "everybody", o->is_for_all ? 1 : 0, "load",
        (int)o->load, "rtt_ms", control_ms(c->rtt), "heard_s",
        (json_int_t)((om_clock_now() - row->heard_at) / OM_SEC(1)), "failures", (int)c->fails);
}

static const struct offer_row *row_of(const struct offer_row *const *rows, unsigned n,
                                      const struct om_id *id)
{
    for (unsigned i = 0; i < n; i++)
        if (om_id_equal(&rows[i]->provider, id))
            return rows[i];
    return NULL;
}

/* Those of @net, best first, behind what @out has. */
static void add_network(const struct control_ask *ask, const struct daemon_network *net,
                        const struct om_vm_need *need, json_t *out)
{
    const struct offer_row **rows = calloc(OFFERS_MAX, sizeof(const struct offer_row *));
    struct om_vm_candidate *c = calloc(OFFERS_MAX, sizeof *c);
    bool is_all = json_is_true(json_object_get(ask->params, "all"));
    unsigned n = rows && c ? offers_collect(ask->d->offers, &net->id, rows) : 0;

    for (unsigned i = 0; i < n; i++)
        c[i] = offers_candidate(ask->d->offers, rows[i]);
    unsigned fit = n > 0 ? om_vm_choose_sort(c, n, need) : 0;
    for (unsigned i = 0; i < (is_all ? n : fit); i++)
        (void)json_array_append_new(out,
                                    row_json(ask, net, row_of(rows, n, &c[i].id), &c[i], need));
    free(rows);
    free(c);
}

json_t *control_providers_list(struct control_ask *ask, struct om_error *err)
{
    bool is_named = json_object_get(ask->params, "network") != NULL;
    const struct daemon_network *net = is_named ? control_network(ask, err) : NULL;
    struct om_vm_spec spec;
    struct om_vm_need need;

    if ((is_named && !net) || !read_need(ask->params, &spec, &need, err))
        return NULL;
    json_t *out = json_array();
    for (unsigned i = 0; i < ask->d->network_count; i++)
        if (!net || net == &ask->d->networks[i])
            add_network(ask, &ask->d->networks[i], &need, out);
    return json_pack("{s:o, s:I}", "providers", out, "dropped",
                     (json_int_t)offers_dropped(ask->d->offers));
}
