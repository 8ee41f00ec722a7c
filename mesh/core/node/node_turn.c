/* node_turn.c - who may send much now. */
#include "node/turn.h"

static bool is_used(const struct om_node *n, const struct om_peer *p)
{
    return p->used_at > 0 && n->now < p->used_at + OM_SEC(OM_TURN_USED_S);
}

om_time node_turn_free_at(const struct om_node *n, const struct om_peer *p)
{
    const struct node_turn *t = &n->turn;
    om_time at = t->of ? t->until : 0;

    if (t->of == p)
        return 0;
    if (t->next && t->next != p && !is_used(n, p) && t->next_until > at)
        at = t->next_until;
    return at;
}

void node_turn_want(struct om_node *n, om_time now, const struct om_peer *p)
{
    struct node_turn *t = &n->turn;

    if (!is_used(n, p) || (t->next && now < t->next_until))
        return;
    t->next = p;
    t->next_until = (t->of && t->until > now ? t->until : now) + OM_MS(OM_TURN_NEXT_MS);
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
        n->turn.of = p;
        n->turn.until = until;
        if (n->turn.next == p)
            n->turn.next = NULL;
    } else if (until <= now && n->turn.of == p) {
        n->turn.of = NULL;
        wake(n, now);
    }
}

void node_turn_leave(struct om_node *n, const struct om_peer *p)
{
    if (n->turn.of == p)
        n->turn.of = NULL; /* who waits looks again at the end of it */
    if (n->turn.next == p)
        n->turn.next = NULL;
}
