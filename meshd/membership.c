/* membership.c - from links to files to networks, and back. */
#include "membership.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <omerta/text.h>
#include <omerta/why.h>

#include "blocks.h"
#include "closed.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "membership_parts.h"
#include "names.h"
#include "network_file.h"
#include "service/offers.h"
#include "tunnels/tunnels.h"

enum { NAME_OF_ID = 6 /* characters of the id in a name that is made up */ };

#define DEFAULT "default"

static uint64_t now_s(void)
{
    return (uint64_t)(om_clock_wall().unix_ms / 1000);
}

static struct daemon_network *mutable_of(struct om_daemon *d, const struct daemon_network *net)
{
    return &d->networks[net - d->networks];
}

static struct daemon_network *find_name(struct om_daemon *d, const char *name)
{
    for (unsigned i = 0; i < d->network_count; i++)
        if (strcmp(d->networks[i].name, name) == 0)
            return &d->networks[i];
    return NULL;
}

/* Is @name, which @of is to have, another's? Two that differ in case only would be one wherever a
 * network is named; what @of is called now, to the letter, is no new name. */
static bool is_taken(const struct om_daemon *d, const struct om_id *of, const char *name)
{
    bool is_it = strcasecmp(name, DEFAULT) == 0;

    for (unsigned i = 0; i < d->network_count && !is_it; i++) {
        const struct daemon_network *net = &d->networks[i];
        is_it = om_id_equal(&net->id, of) ? strcmp(net->name, name) == 0
                                          : strcasecmp(net->name, name) == 0;
    }
    return is_it;
}

/* Everything that walks the networks of @d looks again. */
void membership_changed(struct om_daemon *d)
{
    if (!d->netwatch)
        return; /* it is only starting */
    daemon_presence_tell(d);
    offers_networks(d->offers);
    if (d->tunnels)
        tunnels_names_again(d->tunnels);
    om_pump_kick(d->pump);
}

struct daemon_network *membership_list(struct om_daemon *d, const struct om_id *id,
                                       const struct network_file *f)
{
    struct daemon_network *net = &d->networks[d->network_count++];

    *net = (struct daemon_network){.id = *id, .is_open = true, .is_default = f == NULL};
    (void)snprintf(net->name, sizeof net->name, "%s", f ? f->name : DEFAULT);
    net->self = *om_node_id(daemon_node(d), id);
    net->is_shy = f ? f->is_shy : names_has_others(d);
    if (!f)
        return net;
    (void)!om_node_call_network(daemon_node(d), id, net->name); /* it is there, and fits */
    net->is_open = f->link.kind == OM_NETWORK_OPEN;
    net->is_direct = f->link.kind == OM_NETWORK_DIRECT;
    net->is_closed = f->link.kind == OM_NETWORK_CLOSED;
    net->is_ours = f->is_ours;
    net->pin_count = f->pins.count;
    net->pins_left = f->pins.left;
    net->pins_until_s = f->pins_until_s;
    return net;
}

static struct daemon_network *enter(struct om_daemon *d, const struct om_network_config *c,
                                    const struct network_file *f, struct om_error *err)
{
    if (d->network_count + d->joining_count >= OM_NETWORKS_MAX) {
        (void)om_fail(err, OM_E_FULL, "in %d networks already, which is the most: leave one",
                      OM_NETWORKS_MAX);
        return NULL;
    }
    if (om_node_join(daemon_node(d), c, err) != OM_OK)
        return NULL;
    if (blocks_load(d, &c->id, err))
        return membership_list(d, &c->id, f);
    (void)!om_node_leave(daemon_node(d), om_clock_now(), &c->id);
    return NULL;
}

static void depart(struct om_daemon *d, struct daemon_network *net)
{
    (void)!om_node_leave(daemon_node(d), om_clock_now(), &net->id);
    unsigned i = (unsigned)(net - d->networks);
    d->network_count--;
    memmove(net, net + 1, (d->network_count - i) * sizeof *net);
    d->networks[d->network_count] = (struct daemon_network){.name = ""};
}

static bool enter_file(struct om_daemon *d, struct network_file *f, const char *as,
                       struct om_error *err)
{
    struct om_network_config c;

    om_network_link_config(&c, &f->link);
    c.pins = f->pins;
    c.chain = closed_chain(f);
    struct daemon_network *net = enter(d, &c, f, err);
    sodium_memzero(&c, sizeof c);
    return net && (!net->is_closed || closed_begin(d, net, f, as, err));
}

/* Does the configuration name the built-in network? */
static bool is_default_named(const struct om_daemon *d)
{
    static const char prefix[] = DEFAULT "/";

    for (unsigned i = 0; i < d->config.bootstrap.count; i++)
        if (strncmp(d->config.bootstrap.text[i], prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

/* The built-in network is there while nothing else is, or when it is named. */
static bool settle(struct om_daemon *d, struct om_error *err)
{
    struct daemon_network *net = find_name(d, DEFAULT);
    unsigned others = d->network_count - (net ? 1 : 0);
    bool is_wanted = d->config.network_default && (others == 0 || is_default_named(d));
    struct om_network_config c;

    if (net && !is_wanted)
        depart(d, net);
    if (net || !is_wanted)
        return true;
    om_network_default(&c);
    bool is_in = enter(d, &c, NULL, err) != NULL;
    sodium_memzero(&c, sizeof c);
    return is_in;
}

void membership_settle(struct om_daemon *d)
{
    struct om_error err;
    struct om_logline line;

    if (settle(d, &err) || !om_log_begin(&line, &d->log, OM_LOG_ERROR, "network",
                                         "the built-in network cannot come back"))
        return;
    om_log_str(&line, "why", err.msg);
    om_log_end(&line);
}

bool membership_load(struct om_daemon *d, struct om_error *err)
{
    struct om_id ids[OM_NETWORKS_MAX];
    struct network_file f;
    unsigned count;
    bool is_good = network_file_list(om_home_path(d->home), ids, &count, err) == OM_OK;

    for (unsigned i = 0; i < count && is_good; i++) {
        is_good = network_file_read(om_home_path(d->home), &ids[i], &f, err) == OM_OK &&
                  enter_file(d, &f, NULL, err);
        sodium_memzero(&f, sizeof f);
    }
    if (is_good)
        membership_tick(d);
    return is_good && settle(d, err);
}

static void meet(struct om_daemon *d, const struct om_network_link *l)
{
    om_time now = om_clock_now();

    for (unsigned i = 0; i < l->peer_count; i++) {
        const struct om_network_peer *p = &l->peers[i];
        if (om_node_connect(daemon_node(d), now, &l->id, &p->key, &p->addr, 1) == OM_OK)
            (void)!om_node_keep(daemon_node(d), now, &l->id, &p->key, true);
    }
    om_pump_kick(d->pump);
}

void membership_meet(struct om_daemon *d)
{
    struct network_file f;

    for (unsigned i = 0; i < d->network_count; i++) {
        if (d->networks[i].is_default ||
            network_file_read(om_home_path(d->home), &d->networks[i].id, &f, NULL) != OM_OK)
            continue;
        meet(d, &f.link);
        sodium_memzero(&f, sizeof f);
    }
}

void membership_make_room(struct om_daemon *d)
{
    struct daemon_network *builtin = find_name(d, DEFAULT);

    if (d->network_count == OM_NETWORKS_MAX && builtin && !is_default_named(d))
        depart(d, builtin);
}

/* Not as an option or a path does, nor with a blank: a letter or digit, of whatever script. */
static bool begins_well(const char *name)
{
    unsigned char c = (unsigned char)*name;

    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* May @name, or one made up for @l, be that of a network of @d? Then it is in @out. */
bool membership_choose_name(struct om_daemon *d, const struct om_network_link *l, const char *name,
                            char out[static OM_NAME_MAX + 1], struct om_error *err)
{
    char safe[OM_ESCAPE_LEN(OM_NAME_MAX)], id[OM_ID_TEXT], shown[OM_SHOW_TEXT];
    size_t n = name ? strlen(name) : 0;

    if (!name) {
        (void)snprintf(out, OM_NAME_MAX + 1, "%s-%.*s",
                       l->kind == OM_NETWORK_DIRECT ? "direct" : "net", (int)NAME_OF_ID,
                       om_id_print(&l->id, id));
        return true;
    }
    if (n == 0 || n > OM_NAME_MAX || strchr(name, '/') || !begins_well(name) ||
        om_text_escape(safe, sizeof safe, om_bytes(name, n)) != n)
        return om_fail(err, OM_E_RANGE,
                       "\"%s\": want 1 to %d bytes of visible text without \"/\" as a name, first"
                       " a letter or digit",
                       om_text_show(shown, name), OM_NAME_MAX) == OM_OK;
    if (is_taken(d, &l->id, name))
        return om_fail(err, OM_E_EXISTS, "a network is called \"%s\" already",
                       om_text_show(shown, name)) == OM_OK;
    memcpy(out, name, n + 1);
    return true;
}

/* @f is in the home and the node, or neither. */
static const struct daemon_network *add(struct om_daemon *d, struct network_file *f,
                                        const char *name, const char *as, struct om_error *err)
{
    const struct daemon_network *old = daemon_network(d, &f->link.id);

    if (old) {
        (void)om_fail(err, OM_E_EXISTS, "in that network already: it is called \"%s\" here",
                      old->name);
        return NULL;
    }
    if (!membership_choose_name(d, &f->link, name, f->name, err))
        return NULL;
    membership_make_room(d);
    f->is_shy = names_has_others(d);
    if (!enter_file(d, f, as, err))
        return NULL;
    if (network_file_write(d->home, f, err) != OM_OK) {
        depart(d, &d->networks[d->network_count - 1]);
        return NULL;
    }
    membership_settle(d);
    membership_changed(d);
    return daemon_network(d, &f->link.id);
}

const struct daemon_network *membership_create(struct om_daemon *d, enum om_network_kind kind,
                                               const char *name, const char *as, unsigned uses,
                                               struct om_error *err)
{
    const struct om_rng rng = om_entropy();
    struct network_file f = {.name = ""};
    char wish[OM_MEMBER_NAME_MAX + 1];

    if (!names_wish(d, as, wish, err))
        return NULL;
    f.is_ours = kind == OM_NETWORK_CLOSED;
    if (kind == OM_NETWORK_CLOSED)
        om_authority_new(&f.link, f.seed, &rng);
    else
        om_network_link_new(&f.link, kind, &rng);
    if (kind == OM_NETWORK_DIRECT) {
        f.pins = (struct om_pins){.is_on = true, .left = uses};
        f.pins_until_s = now_s() + MEMBERSHIP_PIN_S;
    }
    const struct daemon_network *net = add(d, &f, name, wish, err);
    sodium_memzero(&f, sizeof f);
    return net;
}

const struct daemon_network *membership_join(struct om_daemon *d, const struct om_network_link *l,
                                             const char *name, struct om_error *err)
{
    struct network_file f = {.link = *l};

    if (l->kind == OM_NETWORK_DIRECT)
        f.pins = (struct om_pins){.is_on = true, .count = 1, .key = {l->peers[0].key}};
    const struct daemon_network *net = add(d, &f, name, NULL, err);
    if (net)
        meet(d, l);
    sodium_memzero(&f, sizeof f);
    return net;
}

/* The built-in one is nobody's to change. */
static bool is_ours(const struct daemon_network *net, struct om_error *err)
{
    return !net->is_default ||
           om_fail(err, OM_E_STATE,
                   "the built-in network \"default\" goes by itself when another is there, or "
                   "stays away with --no-network-default") == OM_OK;
}

bool membership_leave(struct om_daemon *d, const struct daemon_network *net, struct om_error *err)
{
    const struct om_id id = net->id;

    if (!is_ours(net, err) || network_file_remove(d->home, &id, err) != OM_OK)
        return false;
    if (d->tunnels)
        tunnels_leave(d->tunnels, &id);
    closed_forget(d, &id);
    depart(d, mutable_of(d, net));
    (void)!om_store_forget_network(d->store, &id, NULL); /* what stays there does no harm */
    membership_settle(d); /* what becomes of another network is no failure of this */
    membership_changed(d);
    return true;
}

/* Has @net as it is kept, lets @change have it, and keeps it again. */
bool membership_rewrite(struct om_daemon *d, const struct om_id *network,
                        void (*change)(struct network_file *f, const void *with), const void *with,
                        struct om_error *err)
{
    struct network_file f;
    enum om_err e = network_file_read(om_home_path(d->home), network, &f, err);

    if (e != OM_OK)
        return false;
    change(&f, with);
    e = network_file_write(d->home, &f, err);
    sodium_memzero(&f, sizeof f);
    return e == OM_OK;
}

static void set_name(struct network_file *f, const void *with)
{
    (void)snprintf(f->name, sizeof f->name, "%s", (const char *)with);
}

bool membership_rename(struct om_daemon *d, const struct daemon_network *net, const char *name,
                       struct om_error *err)
{
    char chosen[OM_NAME_MAX + 1];
    struct om_network_link l = {.id = net->id};

    if (!is_ours(net, err) || !membership_choose_name(d, &l, name, chosen, err) ||
        !membership_rewrite(d, &net->id, set_name, chosen, err))
        return false;
    memcpy(mutable_of(d, net)->name, chosen, sizeof chosen);
    (void)!om_node_call_network(daemon_node(d), &net->id, chosen);
    membership_changed(d);
    return true;
}

static void set_pins(struct network_file *f, const void *with)
{
    f->pins = *(const struct om_pins *)with;
}

static void keep_pins(struct om_daemon *d, struct daemon_network *net, const struct om_pins *pins)
{
    struct om_error err;
    struct om_logline line;

    net->pin_count = pins->count;
    net->pins_left = pins->left;
    if (membership_rewrite(d, &net->id, set_pins, pins, &err) ||
        !om_log_begin(&line, &d->log, OM_LOG_ERROR, "network", "pins cannot be kept"))
        return;
    om_log_str(&line, "network", net->name);
    om_log_str(&line, "why", err.msg);
    om_log_end(&line);
}

void membership_heard(struct om_daemon *d)
{
    struct om_pins pins;

    for (unsigned i = 0; i < d->network_count; i++) {
        struct daemon_network *net = &d->networks[i];
        if (net->pins_left > 0 && om_node_pins(daemon_node(d), &net->id, &pins) == OM_OK &&
            pins.count != net->pin_count)
            keep_pins(d, net, &pins);
    }
}

void membership_tick(struct om_daemon *d)
{
    struct om_pins pins;

    for (unsigned i = 0; i < d->network_count; i++) {
        struct daemon_network *net = &d->networks[i];
        if (net->is_ours)
            closed_renew(d, net, (uint32_t)now_s());
        if (net->pins_left == 0 || now_s() < net->pins_until_s ||
            om_node_pins(daemon_node(d), &net->id, &pins) != OM_OK)
            continue;
        pins.left = 0;
        (void)!om_node_set_pins(daemon_node(d), &net->id, &pins);
        keep_pins(d, net, &pins);
    }
}

static void add_peer(struct om_network_link *l, const struct om_id *key, const struct om_addr *addr)
{
    if (l->peer_count < OM_NETWORK_PEERS_MAX)
        l->peers[l->peer_count++] = (struct om_network_peer){*key, *addr};
}

/* By what is known here: at most two ways to ourselves, then relays, then what else we have. */
void membership_add_known(struct om_daemon *d, const struct daemon_network *net,
                          struct om_network_link *l)
{
    struct om_addr ends[OM_ANNOUNCE_ENDS];
    unsigned n = daemon_own_addrs(d, ends), at = 0;
    struct om_netcheck c;

    om_node_netcheck(daemon_node(d), om_clock_now(), &net->id, &c);
    for (; at < n && at < OM_NETWORK_PEERS_MAX - 1; at++)
        add_peer(l, &net->self, &ends[at]);
    for (unsigned i = 0; i < c.relay_count; i++)
        add_peer(l, &c.relays[i].id, &c.relays[i].addr);
    for (; at < n; at++)
        add_peer(l, &net->self, &ends[at]);
}

/* May the link of this direct network still be given out? */
static bool is_for_others(const struct network_file *f, struct om_error *err)
{
    if (f->link.peer_count > 0)
        return om_fail(err, OM_E_STATE, "only who made a direct network has a link to it") == OM_OK;
    return f->pins.left > 0 ||
           om_fail(
               err, OM_E_STATE,
               "its link was used, or is older than a day: make another with omerta key link") ==
               OM_OK;
}

static bool print_link(struct om_daemon *d, const struct daemon_network *net,
                       const struct om_addr *at, struct network_file *f, char *out,
                       struct om_error *err)
{
    bool is_direct = f->link.kind == OM_NETWORK_DIRECT;

    if (is_direct && !is_for_others(f, err))
        return false;
    f->link.peer_count = 0;
    if (at)
        add_peer(&f->link, &net->self, at);
    else
        membership_add_known(d, net, &f->link);
    if (is_direct && f->link.peer_count == 0)
        return om_fail(err, OM_E_MISSING,
                       "no address of this machine is known: say where it is found, --at "
                       "ADDRESS:PORT") == OM_OK;
    if (is_direct)
        f->link.peer_count = 1;
    f->link.is_pinned = is_direct;
    (void)om_network_link_print(out, &f->link);
    return true;
}

bool membership_link(struct om_daemon *d, const struct daemon_network *net,
                     const struct om_addr *at, char out[static OM_NETWORK_LINK_TEXT],
                     struct om_error *err)
{
    struct network_file f;

    if (net->is_default)
        return om_fail(err, OM_E_STATE,
                       "everybody can be in the built-in network \"default\": it needs no link") ==
               OM_OK;
    if (net->is_closed)
        return om_fail(err, OM_E_STATE, "a closed network is joined by an invitation") == OM_OK;
    if (network_file_read(om_home_path(d->home), &net->id, &f, err) != OM_OK)
        return false;
    bool is_made = print_link(d, net, at, &f, out, err);
    sodium_memzero(&f, sizeof f);
    return is_made;
}
