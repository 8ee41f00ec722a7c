/* machine.c - what virtual machines that peers run for us may reach here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tunnels/tunnels.h"

#include "tunnels/parts.h"

bool tunnel_machine_read(char out[static TUNNEL_LINK_MAX + 1], const json_t *args)
{
    const json_t *link = json_object_get(args, "link");
    const char *name = json_string_value(link);
    size_t n = json_string_length(link);

    out[0] = '\0';
    if (!link)
        return true;
    if (!name || n == 0 || n > TUNNEL_LINK_MAX || strlen(name) != n)
        return false;
    memcpy(out, name, n + 1);
    return true;
}

/* One thing; port 0: the internet. */
static bool let(struct tunnels *t, const struct tunnel_machine *m, uint16_t port, bool is_udp)
{
    struct tunnel_rule *r =
        t->machine_rules < TUNNEL_MACHINE_RULES_MAX ? calloc(1, sizeof *r) : NULL;

    if (!r)
        return false;
    r->tunnels = t;
    r->number = ++t->numbers;
    r->network = m->network;
    r->peers[r->peer_count++] = m->provider;
    r->is_udp = is_udp;
    r->is_internet = port == 0;
    r->listen.port = r->port = port;
    r->open_max = TUNNEL_PER_PEER;
    (void)snprintf(r->host, sizeof r->host, "%s", port ? "127.0.0.1" : "");
    (void)snprintf(r->machine, sizeof r->machine, "%s", m->name);
    om_list_push_back(&t->rules, &r->link);
    t->machine_rules++;
    return true;
}

bool tunnels_grant(struct tunnels *t, const struct tunnel_machine *m, struct om_error *err)
{
    bool is_let = *m->name && strlen(m->name) <= TUNNEL_LINK_MAX;

    tunnels_revoke(t, &m->network, &m->provider, m->name);
    for (unsigned i = 0; is_let && i < m->count; i++)
        is_let = let(t, m, m->ports[i], false) && let(t, m, m->ports[i], true);
    is_let = is_let && (!m->has_internet || let(t, m, 0, false));
    if (is_let)
        return true;
    tunnels_revoke(t, &m->network, &m->provider, m->name);
    return om_fail(err, OM_E_FULL, "too much is exposed to virtual machines") == OM_OK;
}

void tunnels_revoke(struct tunnels *t, const struct om_id *network, const struct om_id *provider,
                    const char *name)
{
    for (struct om_link *l = om_list_first(&t->rules), *next; l; l = next) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        next = om_list_next(&t->rules, l);
        if (*r->machine && strcmp(r->machine, name) == 0 && om_id_equal(&r->network, network) &&
            om_id_equal(&r->peers[0], provider))
            tunnel_rule_drop(r);
    }
}
