/* blocks.c - a file of ids, one on each line. */
#include "blocks.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/secret_file.h"

enum { LINE = OM_ID_TEXT /* with its newline */, FILE_MAX = OM_BLOCKED_MAX * LINE };

#define FOLDER "networks"

/* The folder and the name in it. */
static bool place_of(const struct om_daemon *d, const struct om_id *network,
                     char folder[static OM_HOME_PATH_MAX], char name[static OM_SECRET_NAME_MAX])
{
    char id[OM_ID_TEXT];
    int n = snprintf(folder, OM_HOME_PATH_MAX, "%s/" FOLDER, om_home_path(d->home));

    (void)snprintf(name, OM_SECRET_NAME_MAX, "%s.blocked", om_id_print(network, id));
    return n > 0 && n < OM_HOME_PATH_MAX;
}

bool blocks_load(struct om_daemon *d, const struct om_id *network, struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX], name[OM_SECRET_NAME_MAX], bytes[FILE_MAX], id[OM_ID_TEXT];
    struct om_id key;
    size_t n = 0;

    if (!place_of(d, network, folder, name))
        return true;
    enum om_err e = om_secret_read(folder, name, bytes, sizeof bytes, &n, err);
    if (e == OM_E_MISSING)
        return true;
    for (size_t at = 0; e == OM_OK && at < n; at += LINE) {
        memcpy(id, bytes + at, n - at < LINE ? n - at : LINE);
        id[n - at < LINE ? n - at : LINE - 1] = '\0';
        e = om_id_parse(&key, id, NULL);
        if (e == OM_OK)
            e = om_node_block(daemon_node(d), om_clock_now(), network, &key, true);
        if (e != OM_OK)
            (void)om_fail(err, e, "line %zu is nobody who can be blocked: %.90s/%.80s",
                          at / LINE + 1, folder, name);
    }
    return e == OM_OK;
}

static bool keep(struct om_daemon *d, const struct om_id *network, struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX], name[OM_SECRET_NAME_MAX], bytes[FILE_MAX], id[OM_ID_TEXT];
    struct om_id keys[OM_BLOCKED_MAX];
    unsigned n = om_node_blocked(daemon_node(d), network, keys, OM_BLOCKED_MAX);

    if (!place_of(d, network, folder, name) || om_home_sub(d->home, FOLDER, err) != OM_OK)
        return false;
    for (unsigned i = 0; i < n; i++) {
        memcpy(bytes + (size_t)i * LINE, om_id_print(&keys[i], id), LINE - 1);
        bytes[(size_t)i * LINE + LINE - 1] = '\n';
    }
    if (n > 0)
        return om_secret_write(folder, name, bytes, (size_t)n * LINE, true, err) == OM_OK;
    blocks_forget(d, network);
    return true;
}

bool blocks_set(struct om_daemon *d, const struct daemon_network *net, const struct om_id *key,
                bool is_on, struct om_error *err)
{
    struct om_node *n = daemon_node(d);
    bool was_on = om_node_is_blocked(n, &net->id, key);
    enum om_err e = om_node_block(n, om_clock_now(), &net->id, key, is_on);

    om_pump_kick(d->pump);
    if (e == OM_E_RANGE)
        return om_fail(err, e, "that is this node itself") == OM_OK;
    if (e == OM_E_FULL)
        return om_fail(err, e,
                       "%d are blocked in network %s, which is the most: let one of them go",
                       OM_BLOCKED_MAX, net->name) == OM_OK;
    if (e != OM_OK)
        return om_fail(err, e, "cannot be blocked: %s", om_err_text(e)) == OM_OK;
    if (keep(d, &net->id, err))
        return true;
    /* What the disk does not have is not so. */
    (void)!om_node_block(n, om_clock_now(), &net->id, key, was_on);
    return false;
}

void blocks_forget(const struct om_daemon *d, const struct om_id *network)
{
    char folder[OM_HOME_PATH_MAX], name[OM_SECRET_NAME_MAX];
    char path[OM_HOME_PATH_MAX + OM_SECRET_NAME_MAX + 1];

    if (!place_of(d, network, folder, name))
        return;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}
