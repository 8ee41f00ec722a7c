/* tools.c - init, key, check. */
#include "tools.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "host/entropy.h"
#include "secrets.h"

static enum om_exit failed(const struct om_error *err, enum om_exit code)
{
    fprintf(stderr, "omerta-meshd: %s\n", err->msg[0] ? err->msg : om_err_text(err->code));
    return code;
}

/* The id of this home in the built-in network; what a network is named for will be told by the
 * store. */
static enum om_exit print_keys(const uint8_t *seed, struct om_error *err)
{
    struct om_network_config net;
    struct om_pool *pool = om_pool_new(OM_BLOCK_BYTES, 1);
    const struct om_node_config config = {
        .home_seed = seed, .rng = om_entropy(), .pool = pool, .limits = {0}};
    struct om_node_config own = config;
    struct om_node *n = NULL;
    char id[OM_ID_TEXT];

    om_limits_default(&own.limits);
    om_network_default(&net);
    enum om_err e =
        pool ? om_node_new(&n, &own, 0, err) : om_fail(err, OM_E_NO_MEM, "no memory for a node");
    if (e == OM_OK)
        e = om_node_join(n, &net, err);
    if (e == OM_OK)
        printf("default %s\n", om_id_print(om_node_id(n, &net.id), id));
    om_node_free(n);
    om_pool_free(pool);
    sodium_memzero(&net, sizeof net);
    return e == OM_OK ? OM_EXIT_OK : OM_EXIT_FAILED;
}

static enum om_exit key(struct om_home *home)
{
    struct om_error err = {.msg = ""};
    uint8_t *seed = secrets_seed(home, &err);

    if (!seed)
        return failed(&err, OM_EXIT_HOME);
    enum om_exit code = print_keys(seed, &err);
    sodium_free(seed);
    return code == OM_EXIT_OK ? code : failed(&err, code);
}

static enum om_exit init(struct om_home *home, bool force)
{
    struct om_error err = {.msg = ""};

    if (secrets_init(home, force, stdout, &err) != OM_OK)
        return failed(&err, OM_EXIT_HOME);
    return key(home);
}

static enum om_exit check(struct om_daemon *d)
{
    struct om_error err = {.msg = ""};

    if (!daemon_config_load(d, &d->config, &err))
        return failed(&err, OM_EXIT_CONFIG);
    printf("home   %s\nport   %u\nok\n", om_home_path(d->home), (unsigned)d->config.port);
    return OM_EXIT_OK;
}

enum om_exit tools_run(const char *command, bool force, struct om_daemon *d)
{
    struct om_error err = {.msg = ""};
    bool makes = strcmp(command, "init") == 0;

    if (om_home_open(&d->home, d->place.home, makes, &err) != OM_OK)
        return failed(&err, OM_EXIT_HOME);
    enum om_exit code = makes                         ? init(d->home, force)
                        : strcmp(command, "key") == 0 ? key(d->home)
                                                      : check(d);
    om_home_close(d->home);
    return code;
}
