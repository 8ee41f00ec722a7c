/* tunnels.c - methods about local ports that lead to peers, and peers that are let in. */
#include "control/methods.h"
#include "control/parts.h"
#include "service/access.h"
#include "tunnels/tunnels.h"

/* Whoever @words name may be of any network, but of one only; false and @err. */
static bool add_network(const struct control_ask *ask, json_t *words, struct om_error *err)
{
    const char *peer = json_string_value(json_object_get(words, "peer"));
    const struct daemon_network *net;
    struct om_id id;

    if (!peer || ask->d->network_count < 2 || json_object_get(words, "network"))
        return true;
    if (!control_find(ask, peer, &net, &id, err))
        return false;
    (void)json_object_set_new(words, "network", json_string(net->name));
    return true;
}

json_t *control_forward_add(struct control_ask *ask, struct om_error *err)
{
    json_t *words = json_deep_copy(ask->params);

    if (!add_network(ask, words, err)) {
        json_decref(words);
        return NULL;
    }
    access_route(ask->d->wanted, words);
    json_t *made = tunnels_forward(ask->d->tunnels, words, err);
    json_decref(words);

    if (!made || !json_is_true(json_object_get(made, "remote")))
        return made;
    /* The answer is the peer's. */
    uint64_t number = (uint64_t)json_integer_value(json_object_get(made, "id"));
    const char *network = json_string_value(json_object_get(made, "network"));
    const char *peer = json_string_value(json_object_get(made, "peer"));
    const struct daemon_network *net = daemon_network_named(ask->d, network, err);
    struct om_id id;
    if (!net || om_id_parse(&id, peer, err) != OM_OK ||
        !control_wait_forward(ask, number, &net->id, &id, err))
        (void)tunnels_remove(ask->d->tunnels, true, number, err);
    json_decref(made);
    return NULL;
}

json_t *control_forward_list(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "forwards", tunnels_list(ask->d->tunnels, true));
}

static json_t *remove_one(struct control_ask *ask, bool forwards, struct om_error *err)
{
    json_int_t id = json_integer_value(json_object_get(ask->params, "id"));

    if (!tunnels_remove(ask->d->tunnels, forwards, id > 0 ? (uint64_t)id : 0, err))
        return NULL;
    return json_pack("{s:I}", "removed", id);
}

json_t *control_forward_remove(struct control_ask *ask, struct om_error *err)
{
    return remove_one(ask, true, err);
}

json_t *control_expose_add(struct control_ask *ask, struct om_error *err)
{
    return tunnels_expose(ask->d->tunnels, ask->params, err);
}

json_t *control_expose_list(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "exposed", tunnels_list(ask->d->tunnels, false));
}

json_t *control_expose_remove(struct control_ask *ask, struct om_error *err)
{
    return remove_one(ask, false, err);
}

json_t *control_expose_usage(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "usage", tunnels_usage(ask->d->tunnels));
}
