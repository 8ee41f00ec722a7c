/* providers.c - who provides virtual machines: from words to one of them, and the list of them. */
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "control/methods.h"
#include "control/parts.h"
#include "host/clock.h"
#include "names.h"
#include "service/offers.h"

enum { PORT = 18002 /* of a daemon, unless configured */ };

static bool is_at(const struct om_addr *there, const struct om_addr *wanted)
{
    return wanted->port ? om_addr_equal(there, wanted)
                        : memcmp(there->ip, wanted->ip, sizeof there->ip) == 0;
}

/* Is @peer of @net heard from @wanted, or does it say that it is there? */
static bool is_peer_at(const struct om_daemon *d, const struct daemon_network *net,
                       const struct om_id *peer, const struct om_addr *wanted)
{
    struct om_announce a;
    struct om_peer_info p;

    if (om_node_peer_info(daemon_node(d), om_clock_now(), &net->id, peer, &p) == OM_OK &&
        p.is_heard)
        return is_at(&p.via.remote, wanted);
    if (om_node_record(daemon_node(d), &net->id, peer, &a, NULL) != OM_OK)
        return false;
    for (unsigned i = 0; i < a.end_count; i++)
        if (is_at(&a.ends[i], wanted))
            return true;
    return false;
}

/* How many peers of @net are at @wanted; the last into @peer. */
static unsigned count_at(const struct om_daemon *d, const struct daemon_network *net,
                         const struct om_addr *wanted, struct om_id *peer)
{
    struct om_id *ids;
    unsigned n = daemon_peers(d, &net->id, &ids), found = 0;

    for (unsigned i = 0; i < n; i++) {
        if (om_id_equal(&ids[i], &net->self) || !is_peer_at(d, net, &ids[i], wanted))
            continue;
        *peer = ids[i];
        found++;
    }
    free(ids);
    return found;
}

/* The one peer of @net at @wanted, which is what @text says; without a port the usual one goes
 * before others. */
static bool find_at(const struct om_daemon *d, const struct daemon_network *net,
                    const struct om_addr *wanted, const char *text, struct om_id *peer,
                    struct om_error *err)
{
    struct om_addr any = *wanted;
    unsigned found = count_at(d, net, wanted, peer);

    any.port = 0;
    if (found == 0 && om_addr_ip_parse(any.ip, text))
        found = count_at(d, net, &any, peer);
    if (found == 0) /* the key has to be known before anything can be said to it */
        (void)om_fail(err, OM_E_MISSING,
                      "no known peer of network %s is at %.60s: name it as ID@%.60s", net->name,
                      text, text);
    else if (found > 1)
        (void)om_fail(err, OM_E_RANGE, "several peers are at %.60s: name one, or its port", text);
    return found == 1;
}

/* ID@IP[:PORT]: whoever has the key is met there. */
static bool meet(struct control_ask *ask, const struct daemon_network *net, const char *text,
                 struct om_id *peer, struct om_error *err)
{
    const char *at = strchr(text, '@');
    char id[OM_ID_TEXT];
    struct om_addr addr;

    if (at - text != OM_ID_TEXT - 1 || om_addr_parse(&addr, at + 1, PORT, NULL) != OM_OK)
        return om_fail(err, OM_E_PARSE, "want ID@IP:PORT, with all 52 characters of the id") ==
               OM_OK;
    memcpy(id, text, OM_ID_TEXT - 1);
    id[OM_ID_TEXT - 1] = 0;
    if (om_id_parse(peer, id, err) != OM_OK)
        return false;
    if (om_id_equal(peer, &net->self))
        return om_fail(err, OM_E_RANGE, "that is this node itself") == OM_OK;
    enum om_err e = om_node_connect(daemon_node(ask->d), om_clock_now(), &net->id, peer, &addr, 1);
    om_pump_kick(ask->d->pump);
    return e == OM_OK || om_fail(err, e, "it cannot be met there: %s", om_err_text(e)) == OM_OK;
}

bool control_provider(struct control_ask *ask, const struct daemon_network **net,
                      struct om_id *peer, struct om_error *err)
{
    const char *text = json_string_value(json_object_get(ask->params, "peer"));
    struct om_addr addr;
    bool is_met = text && strchr(text, '@'), is_addr = false;

    if (text && !is_met)
        is_addr = om_addr_parse(&addr, text, PORT, NULL) == OM_OK;
    if (!is_met && !is_addr)
        return control_peer(ask, net, peer, err);
    *net = control_network(ask, err);
    if (!*net)
        return false;
    if (is_met)
        return meet(ask, *net, text, peer, err);
    if (!find_at(ask->d, *net, &addr, text, peer, err))
        return false;
    enum om_err e = daemon_reach(ask->d, *net, peer);
    return e == OM_OK || om_fail(err, e, "the peer there: %s", om_err_text(e)) == OM_OK;
}

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
    char why[OM_VM_CHOOSE_WHY], called[NAMES_TEXT];
    json_t *images = json_array();
    bool is_fit = om_vm_choose_fits(o, need, why);

    (void)names_of(ask->d, &net->id, &c->id, called);
    for (unsigned i = 0; i < o->images; i++)
        (void)json_array_append_new(images, json_string(o->image[i]));
    return json_pack("{s:o, s:o, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:b, s:b, s:i, s:o,"
                     " s:I, s:i, s:s}",
                     "provider", control_id(&c->id), "name", control_text(called, strlen(called)),
                     "network", net->name, "fits", is_fit ? 1 : 0, "why", why, "engine",
                     om_vm_offer_engine_name(o->engine), "vms", (json_int_t)o->free.vms, "cpus",
                     (json_int_t)o->free.cpus, "memory_mib", (json_int_t)o->free.memory_mib,
                     "disk_mib", (json_int_t)o->free.disk_mib, "images", images, "more_images",
                     o->has_more_images ? 1 : 0, "everybody", o->is_for_all ? 1 : 0, "load",
                     (int)o->load, "rtt_ms", control_ms(c->rtt), "heard_s",
                     (json_int_t)((om_clock_now() - row->heard_at) / OM_SEC(1)), "failures",
                     (int)c->fails, "no_kvm", om_vm_no_kvm_text(o->no_kvm));
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
