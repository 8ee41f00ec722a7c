/* find.c - which peer a word means, and of which network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "names.h"
#include "netstack/dns/zone.h"

/* Does @text name the peer with @id, who is called @name? */
static bool is_named(const char *text, const struct om_id *id, const char *name, bool any_case)
{
    int (*compare)(const char *, const char *) = any_case ? strcasecmp : strcmp;
    int (*start)(const char *, const char *, size_t) = any_case ? strncasecmp : strncmp;
    char full[OM_ID_TEXT];
    size_t n = strlen(text), of_name = strlen(name);

    (void)om_id_print(id, full);
    if (of_name > 0 && start(text, name, of_name) == 0 && text[of_name] == '-' &&
        strlen(text + of_name + 1) == OM_NAMED_ID &&
        start(full, text + of_name + 1, OM_NAMED_ID) == 0)
        return true; /* as another of that name would be called, ben-k3f9xa */
    return compare(name, text) == 0 || (n >= OM_ZONE_START && start(full, text, n) == 0);
}

struct search {
    const struct om_daemon *d;
    const struct daemon_network *only; /* NULL: any */
    char text[OM_ID_TEXT + OM_NAME_MAX];
    bool any_case;
    unsigned count;
    struct om_id id; /* the last that was found, in */
    const struct daemon_network *net;
    char list[120];
};

/* Appends "short name" to the sentence that lists candidates. */
static void found(struct search *s, const struct daemon_network *net, const struct om_id *id,
                  const char *name)
{
    char shown[OM_SHOW_TEXT], brief[OM_ID_SHORT];
    size_t n = strlen(s->list);
    bool has_network = !s->only && *name;

    s->count++;
    s->id = *id;
    s->net = net;
    (void)snprintf(s->list + n, sizeof s->list - n, "%s%s%s%s%s%s", n > 0 ? ", " : "",
                   om_id_short(id, brief), *name ? " " : "", *name ? om_text_show(shown, name) : "",
                   has_network ? "." : "", has_network ? net->name : "");
}

static void search_in(struct search *s, const struct daemon_network *net)
{
    char name[NAMES_TEXT];
    struct names names;
    struct om_id *ids;
    unsigned n = daemon_peers(s->d, &net->id, &ids);

    if (strcmp(s->text, CONTROL_SELF) == 0 ||
        (!s->only && is_named(s->text, &net->self, "", s->any_case)))
        found(s, net, &net->self, "");
    names_load(&names, s->d, net);
    for (unsigned i = 0; i < n; i++)
        if (is_named(s->text, &ids[i], names_find(&names, &ids[i], name), s->any_case) &&
            !om_id_equal(&ids[i], &net->self))
            found(s, net, &ids[i], name);
    names_free(&names);
    free(ids);
}

/* As it is written, else as names of hosts are, whatever the case. */
static void search(struct search *s)
{
    for (int pass = 0; pass < 2 && s->count == 0; pass++) {
        s->any_case = pass == 1;
        for (unsigned i = 0; i < s->d->network_count; i++)
            if (!s->only || s->only == &s->d->networks[i])
                search_in(s, &s->d->networks[i]);
    }
}

/* Is @text PEER.NETWORK, @net being that network? Then so many bytes are the peer's; else 0. */
static size_t before_network(const char *text, const struct daemon_network *net)
{
    size_t n = strlen(text), behind = strlen(net->name) + 1;

    return n > behind && text[n - behind] == '.' &&
                   strcasecmp(text + n - behind + 1, net->name) == 0
               ? n - behind
               : 0;
}

const struct daemon_network *control_behind(const struct om_daemon *d,
                                            const struct daemon_network *only, const char *text,
                                            size_t *n)
{
    *n = strlen(text);
    for (unsigned i = 0; i < d->network_count; i++) {
        const struct daemon_network *net = &d->networks[i];
        size_t cut = !only || only == net ? before_network(text, net) : 0;
        if (cut > 0) {
            *n = cut;
            return net;
        }
    }
    return only;
}

static bool is_one(const struct search *s, const char *text, struct om_error *err)
{
    const struct om_daemon *d = s->d;
    char shown[OM_SHOW_TEXT];

    (void)om_text_show(shown, text);
    if (s->count == 1)
        return true;
    if (s->count == 0 && s->only)
        return om_fail(err, OM_E_MISSING, "no peer \"%.40s\" in network %s", shown,
                       s->only->name) == OM_OK;
    if (s->count == 0)
        return om_fail(err, OM_E_MISSING, "no peer \"%.40s\" in any of the %u networks here", shown,
                       d->network_count) == OM_OK;
    return om_fail(err, OM_E_RANGE, "\"%.40s\" is ambiguous: %s%s", shown, s->list,
                   s->only ? "" : ": say which network, with --network or as PEER.NETWORK") ==
           OM_OK;
}

bool control_find(const struct control_ask *ask, const char *text,
                  const struct daemon_network **net, struct om_id *peer, struct om_error *err)
{
    const struct om_daemon *d = ask->d;
    struct search s = {.d = d};
    size_t n;

    if (json_object_get(ask->params, "network") || d->network_count < 2) {
        s.only = control_network(ask, err);
        if (!s.only)
            return false;
    }
    s.only = control_behind(d, s.only, text, &n);
    (void)snprintf(s.text, sizeof s.text, "%.*s", (int)(n < sizeof s.text ? n : 0), text);
    if (s.only && strlen(s.text) == OM_ID_TEXT - 1 && om_id_parse(peer, s.text, NULL) == OM_OK) {
        *net = s.only;
        return true; /* known or not */
    }
    search(&s);
    *peer = s.id;
    *net = s.net;
    return is_one(&s, text, err);
}
