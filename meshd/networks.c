/* networks.c - the networks that this home is in: which one is meant. */
#include <string.h>

#include "state.h"

struct om_node *daemon_node(const struct om_daemon *d)
{
    return om_pump_node(d->pump);
}

const struct daemon_network *daemon_network(const struct om_daemon *d, const struct om_id *id)
{
    for (unsigned i = 0; i < d->network_count; i++)
        if (om_id_equal(&d->networks[i].id, id))
            return &d->networks[i];
    return NULL;
}

static bool is_named(const struct daemon_network *net, const char *text)
{
    char id[OM_ID_TEXT];

    return strcmp(net->name, text) == 0 ||
           (strlen(text) >= 4 && strncmp(om_id_print(&net->id, id), text, strlen(text)) == 0);
}

const struct daemon_network *daemon_network_named(const struct om_daemon *d, const char *text,
                                                  struct om_error *err)
{
    const struct daemon_network *found = NULL;

    for (unsigned i = 0; i < d->network_count; i++) {
        const struct daemon_network *net = &d->networks[i];
        if (text && !is_named(net, text))
            continue;
        if (found) {
            (void)om_fail(err, OM_E_RANGE,
                          "several networks (%s, %s ...): say which, with --network", found->name,
                          net->name);
            return NULL;
        }
        found = net;
    }
    if (!found && text)
        (void)om_fail(err, OM_E_MISSING, "no network \"%.40s\" here", text);
    else if (!found)
        (void)om_fail(err, OM_E_MISSING, "this node is in no network");
    return found;
}
