/* node_fresh.c - a socket that nothing ever came to, and where it is seen. */
#include "node/fresh.h"

#include <string.h>

#include "node/lane.h"
#include "node/sockets.h"
#include "node/study.h"

void node_fresh_ask(struct om_node *n, om_time now, struct node_fresh *f, struct om_peer *relay)
{
    const struct om_via *direct = relay ? node_lane_direct(relay) : NULL;
    struct om_session *s = relay ? node_lane_session(n, relay) : NULL;

    node_fresh_close(n, f);
    f->asked = now ? now : 1;
    if (!direct || !s || !om_addr_is_v4(&direct->remote))
        return;
    f->socket = node_sockets_open(n, 1);
    if (f->socket == 0)
        return;
    f->of = relay->id;
    om_rng_fill(&n->rng, &f->token, sizeof f->token);
    const struct om_via via = {.remote = direct->remote, .socket = f->socket};
    for (unsigned i = 0; i < OM_FRESH_COPIES; i++)
        node_send_over(n, now, relay, s, node_study_question(n, f->token), &via);
}

bool node_fresh_pong(struct node_fresh *f, const struct om_peer *p,
                     const struct om_frame_pong *pong, const struct om_addr *ours)
{
    if (f->socket == 0 || pong->token != f->token || !om_id_equal(&f->of, &p->id))
        return false;
    if (memcmp(pong->seen.ip, ours->ip, sizeof ours->ip) == 0)
        f->port = pong->seen.port;
    return true;
}

om_time node_fresh_until(const struct node_fresh *f)
{
    return f->socket != 0 && f->port == 0 ? f->asked + OM_MS(OM_FRESH_WAIT_MS) : 0;
}

bool node_fresh_is_stale(const struct node_fresh *f, om_time now)
{
    return f->asked == 0 || now >= f->asked + OM_SEC(OM_FRESH_LASTS_S);
}

uint32_t node_fresh_take(struct node_fresh *f)
{
    uint32_t socket = f->port ? f->socket : 0;

    if (socket != 0)
        *f = (struct node_fresh){.asked = 0};
    return socket;
}

void node_fresh_close(struct om_node *n, struct node_fresh *f)
{
    if (f->socket != 0)
        node_sockets_close(n, f->socket, 1, 0);
    *f = (struct node_fresh){.asked = 0};
}
