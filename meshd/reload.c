/* reload.c - the configuration, all of it or nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_keys.h"
#include "mapping.h"
#include "sdnotify.h"
#include "state.h"
#include "tunnels/tunnels.h"

bool daemon_config_load(const struct om_daemon *d, struct om_config *out, struct om_error *err)
{
    struct om_config c;
    char path[OM_PATH_MAX + 16];
    bool is_named = d->config_file[0] != 0;

    om_config_default(&c);
    (void)snprintf(path, sizeof path, "%s/config.json", d->place.home);
    enum om_err e = om_config_read(&c, is_named ? d->config_file : path, err);
    if (e != OM_OK && (is_named || e != OM_E_MISSING))
        return false;
    if (om_config_apply(&c, &d->flags, err) != OM_OK)
        return false;
    *out = c;
    return true;
}

struct change {
    struct om_daemon *d;
    void (*changed)(void *self, const struct om_config_key *key, const char *was, const char *is);
    void *self;
};

static void tell(void *self, const struct om_config_key *key, const char *was, const char *is)
{
    const struct change *c = self;
    struct om_logline line;

    if (om_log_begin(&line, &c->d->log, OM_LOG_INFO, "config", "changed")) {
        om_log_str(&line, "key", key->path);
        om_log_str(&line, "was", was);
        om_log_str(&line, "is", is);
        om_log_str(&line, "takes_effect", key->needs_restart ? "after a restart" : "now");
        om_log_end(&line);
    }
    if (c->changed)
        c->changed(c->self, key, was, is);
}

/* What needs a restart keeps its old value in force, so that the next reload names it again. */
static void adopt(struct om_daemon *d, const struct om_config *c)
{
    d->config.log_level = c->log_level;
    d->config.relay = c->relay;
    d->config.portmap = c->portmap;
    d->config.dns_upstreams = c->dns_upstreams;
    memcpy(d->config.name, c->name, sizeof d->config.name);
    d->log.level = (enum om_level)c->log_level;
    if (d->netwatch)
        daemon_presence_tell(d);
    if (d->mapping)
        mapping_look(d->mapping, false);
    if (d->tunnels)
        tunnels_names_again(d->tunnels);
}

bool daemon_reload(struct om_daemon *d,
                   void (*changed)(void *self, const struct om_config_key *key,
                                   const char *was_text, const char *is_text),
                   void *self, struct om_error *err)
{
    struct change change = {d, changed, self};
    struct om_config *c = malloc(sizeof *c);

    if (!c) {
        (void)om_fail(err, OM_E_NO_MEM, "no memory to read the configuration");
        return false;
    }
    (void)om_sdnotify("RELOADING=1");
    bool is_read = daemon_config_load(d, c, err);
    if (is_read) {
        (void)om_config_diff(&d->config, c, tell, &change);
        adopt(d, c);
    }
    free(c);
    (void)om_sdnotify("READY=1");
    return is_read;
}
