/* cloisters.c - methods by which two agree on a private network. */
#include <limits.h>

#include "cloisters.h"
#include "control/methods.h"
#include "control/parts.h"
#include "handovers.h"

void control_notify_cloister(struct control *c, json_t *what)
{
    if (c && what)
        control_send_event(c, "cloister", what);
    else
        json_decref(what);
}

/* The question that is meant; 0, which is none, for what is no number. */
static unsigned number_of(const struct control_ask *ask)
{
    json_int_t n = json_integer_value(json_object_get(ask->params, "id"));

    return n > 0 && n <= (json_int_t)UINT_MAX ? (unsigned)n : 0;
}

static const char *name_of(const struct control_ask *ask)
{
    return json_string_value(json_object_get(ask->params, "name"));
}

static json_t *deny(struct om_daemon *d, unsigned number, struct om_error *err)
{
    return handovers_has(d->handovers, number) ? handovers_deny(d->handovers, number, err)
                                               : cloisters_deny(d->cloisters, number, err);
}

json_t *control_cloister_ask(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net;
    struct om_error ignored;
    struct om_id peer;

    if (!control_other(ask, &net, &peer, err))
        return NULL;
    const char *hand = json_string_value(json_object_get(ask->params, "hand"));
    const struct daemon_network *given = hand ? daemon_network_named(ask->d, hand, err) : NULL;
    const struct om_id network = net->id;
    unsigned number = 0;
    if (!hand)
        number = cloisters_ask(ask->d->cloisters, net, &peer, name_of(ask), err);
    else if (given)
        number = handovers_ask(ask->d->handovers, net, &peer, given, err);
    if (number && !control_wait_cloister(ask, true, number, &network, &peer, err))
        json_decref(deny(ask->d, number, &ignored));
    return NULL;
}

json_t *control_cloister_accept(struct control_ask *ask, struct om_error *err)
{
    unsigned number = number_of(ask);
    struct om_id of[2];

    bool is_yes = handovers_has(ask->d->handovers, number)
                      ? handovers_accept(ask->d->handovers, number, name_of(ask), of, err)
                      : cloisters_accept(ask->d->cloisters, number, name_of(ask), of, err);
    if (is_yes)
        (void)control_wait_cloister(ask, false, number, &of[0], &of[1], err);
    return NULL;
}

json_t *control_cloister_deny(struct control_ask *ask, struct om_error *err)
{
    return deny(ask->d, number_of(ask), err);
}

json_t *control_cloister_list(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    json_t *rows = cloisters_list(ask->d->cloisters);

    handovers_list(ask->d->handovers, rows);
    return json_pack("{s:o, s:o}", "cloisters", rows, "ended", cloisters_ended(ask->d->cloisters));
}
