/* node_turn.c - who may send much now. */
#include "node/turn.h"

bool node_turn_is_taken(const struct om_node *n, const struct om_peer *p, om_time now)
{
    return n->turn.of && n->turn.of != p && now < n->turn.until;
}

/* Whoever waits for it has a deadline of now. */
static void wake(struct om_node *n, om_time now)
{
    size_t at = 0;
    void *value;

    while (om_table_next(&n->peers.table, &at, NULL, &value)) {
        struct om_peer *p = value;
        if (p->punch)
            node_rearm(n, now, p);
    }
}

void node_turn_note(struct om_node *n, om_time now, const struct om_peer *p,
                    const struct om_punch *run)
{
    om_time until = om_punch_sends_until(run);

    if (until > now && !node_turn_is_taken(n, p, now)) {
        n->turn = (struct node_turn){p, until};
    } else if (until <= now && n->turn.of == p) {
        n->turn = (struct node_turn){0};
        wake(n, now);
    }
}

void node_turn_leave(struct om_node *n, const struct om_peer *p)
{
    if (n->turn.of == p)
        n->turn = (struct node_turn){0}; /* who waits looks again at the end of it */
}
