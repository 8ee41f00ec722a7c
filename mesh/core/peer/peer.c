/* peer.c - paths and the waiting queue of one peer. */
#include "peer/peer.h"

enum om_err om_peer_init(struct om_peer *p, struct om_network *net, const struct om_id *id)
{
    if (om_id_equal(id, &net->self.id))
        return OM_E_RANGE;
    if (om_identity_dh_of(p->dh, id) != OM_OK)
        return OM_E_RANGE;
    p->id = *id;
    p->net = net;
    p->stamp_due = OM_NEVER;
    p->owed_since = OM_NEVER;
    p->timer.at = OM_NEVER;
    om_list_init(&p->calls);
    return OM_OK;
}

struct om_session *om_peer_session(const struct om_peer *p, om_time now)
{
    return p->assoc ? om_association_sealing(p->assoc, now) : NULL;
}

const struct om_via *om_peer_via(const struct om_peer *p)
{
    const struct om_path *path = p->paths ? om_paths_active(p->paths) : NULL;

    return path ? &path->via : NULL;
}

/* Is path @k one that om_peer_path() names before the endpoints? */
static bool is_way(const struct om_peer *p, unsigned k)
{
    return (int)k == p->paths->active || p->paths->all[k].state == OM_PATH_VALID;
}

static bool is_path_of(const struct om_peer *p, const struct om_via *v)
{
    for (unsigned k = 0; p->paths && k < p->paths->count; k++)
        if (is_way(p, k) && om_via_equal(&p->paths->all[k].via, v))
            return true;
    return false;
}

bool om_peer_path(const struct om_peer *p, unsigned i, struct om_via *out)
{
    const struct om_via *active = om_peer_via(p);

    if (active && i-- == 0) {
        *out = *active;
        return true;
    }
    for (unsigned k = 0; p->paths && k < p->paths->count; k++) {
        if ((int)k == p->paths->active || !is_way(p, k))
            continue;
        if (i-- == 0) {
            *out = p->paths->all[k].via;
            return true;
        }
    }
    for (unsigned e = 0; e < p->end_count; e++) {
        struct om_via v = {.remote = p->ends[e]};
        if (is_path_of(p, &v))
            continue;
        if (i-- == 0) {
            *out = v;
            return true;
        }
    }
    return false;
}

unsigned om_peer_path_count(const struct om_peer *p)
{
    struct om_via v;
    unsigned n = 0;

    while (om_peer_path(p, n, &v))
        n++;
    return n;
}

bool om_peer_knows(const struct om_peer *p, const struct om_addr *addr)
{
    for (unsigned i = 0; i < p->end_count; i++)
        if (om_addr_equal(&p->ends[i], addr))
            return true;
    return false;
}

struct om_buf *om_peer_wait(struct om_peer *p, struct om_buf *buf)
{
    struct om_buf *oldest = p->waiting_count == OM_WAITING_MAX ? om_peer_unwait(p) : NULL;

    buf->next = NULL;
    if (p->waiting)
        p->waiting_last->next = buf;
    else
        p->waiting = buf;
    p->waiting_last = buf;
    p->waiting_count++;
    return oldest;
}

struct om_buf *om_peer_unwait(struct om_peer *p)
{
    struct om_buf *b = p->waiting;

    if (!b)
        return NULL;
    p->waiting = b->next;
    b->next = NULL;
    p->waiting_count--;
    return b;
}
