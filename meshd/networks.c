/* networks.c - the networks that this home is in: which one is meant. */
#include <string.h>
#include <strings.h>

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

static bool is_named(const struct daemon_network *net, const char *text, bool any_case)
{
    size_t n = strlen(text);
    char id[OM_ID_TEXT];

    (void)om_id_print(&net->id, id);
    if (any_case)
        return strcasecmp(net->name, text) == 0 || (n >= 4 && strncasecmp(id, text, n) == 0);
    return strcmp(net->name, text) == 0 || (n >= 4 && strncmp(id, text, n) == 0);
}

/* How many networks of @d @text names, all of them with NULL; the last two of these to @found. */
static unsigned count_named(const struct om_daemon *d, const char *text, bool any_case,
                            const struct daemon_network *found[static 2])
{
    unsigned count = 0;

    for (unsigned i = 0; i < d->network_count; i++) {
        if (text && !is_named(&d->networks[i], text, any_case))
            continue;
        found[1] = found[0];
        found[0] = &d->networks[i];
        count++;
    }
    return count;
}

const struct daemon_network *daemon_network_named(const struct om_daemon *d, const char *text,
                                                  struct om_error *err)
{
    const struct daemon_network *found[2] = {NULL, NULL};
    unsigned count = count_named(d, text, false, found);

    if (count == 0 && text)
        count = count_named(d, text, true, found);
    if (count == 1)
        return found[0];
    if (count > 1)
        (void)om_fail(err, OM_E_RANGE, "several networks (%s, %s ...): say which, with --network",
                      found[1]->name, found[0]->name);
    else if (text)
        (void)om_fail(err, OM_E_MISSING, "no network \"%.40s\" here", text);
    else
        (void)om_fail(err, OM_E_MISSING, "this node is in no network");
    return NULL;
}
