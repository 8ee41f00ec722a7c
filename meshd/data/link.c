/* link.c - a connection that becomes a link, whose frames end in the daemon's stack. */
#include <string.h>

#include "control/parts.h"
#include "data/parts.h"
#include "links/links.h"

static json_t *ready(const struct data_conn *c, uint64_t number, const struct link_config *config)
{
    return json_pack("{s:b, s:I, s:i, s:o}", "ok", 1, "id", (json_int_t)number, "mtu",
                     (int)config->mtu, "peer", control_id(&c->peer));
}

void data_link(struct data_conn *c, json_t *words)
{
    struct control_ask ask = {.d = c->data->d, .params = words};
    const struct daemon_network *net;
    struct om_error err = {.msg = ""};
    struct link_config config;
    uint64_t number;

    if (!link_config_read(&config, words, &err) || !control_peer(&ask, &net, &c->peer, &err)) {
        data_fail(c, &err);
        return;
    }
    config.network = net->id;
    config.peer = c->peer;
    if (links_add(ask.d->links, &config, &number, &err) != OM_OK) {
        data_fail(c, &err);
        return;
    }
    bool is_said = data_say(c, ready(c, number, &config));
    struct om_socket *socket = is_said ? c->socket : NULL;
    if (socket)
        c->socket = NULL; /* the link's */
    links_start(ask.d->links, number, socket, om_line_rest(&c->in));
    data_drop(c);
}
