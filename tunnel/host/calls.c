/* calls.c - which part of the program a call of the node belongs to. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/node.h>
#include <omerta/table.h>

#include "host/clock.h"

struct om_calls {
    struct om_pump *pump;
    struct om_table owners;
    uint64_t ahead;
};

enum om_err om_calls_new(struct om_calls **out, struct om_pump *pump)
{
    /* Numbers of calls are our own choice, so nobody can make them collide: no secret is needed. */
    static const uint8_t key[OM_SIP_KEY];
    struct om_calls *c = calloc(1, sizeof *c);

    if (!c)
        return OM_E_NO_MEM;
    c->pump = pump;
    OM_BUG_IF(om_table_init(&c->owners, sizeof(uint64_t), OM_CALLS_MAX, key) != OM_OK);
    *out = c;
    return OM_OK;
}

void om_calls_free(struct om_calls *c)
{
    if (!c)
        return;
    OM_BUG_IF(om_table_count(&c->owners) != 0);
    om_table_fini(&c->owners);
    free(c);
}

struct om_node *om_calls_node(const struct om_calls *c)
{
    return om_pump_node(c->pump);
}

uint64_t *om_calls_ahead(struct om_calls *c)
{
    return &c->ahead;
}

void om_calls_kick(const struct om_calls *c)
{
    om_pump_kick(c->pump);
}

enum om_err om_calls_open(struct om_calls *c, const struct om_id *network, const struct om_id *peer,
                          const struct om_call_config *config, struct om_call_owner *owner)
{
    uint64_t call;
    enum om_err e = om_node_call(om_calls_node(c), om_clock_now(), network, peer, config, &call);

    if (e != OM_OK)
        return e;
    e = om_calls_take(c, call, owner);
    if (e != OM_OK)
        om_node_hang_up(om_calls_node(c), om_clock_now(), call, OM_CLOSE_LIMIT);
    return e;
}

enum om_err om_calls_take(struct om_calls *c, uint64_t call, struct om_call_owner *owner)
{
    enum om_err e = om_table_put(&c->owners, &call, owner);

    OM_BUG_IF(owner->is_open);
    if (e != OM_OK)
        return OM_E_NO_MEM;
    owner->call = call;
    owner->is_open = true;
    return OM_OK;
}

enum om_err om_calls_hand_over(struct om_calls *c, struct om_call_owner *from,
                               struct om_call_owner *to)
{
    OM_BUG_IF(!from->is_open || to->is_open);
    from->is_open = false;
    (void)om_table_remove(&c->owners, &from->call);
    if (om_calls_take(c, from->call, to) == OM_OK)
        return OM_OK;
    om_node_hang_up(om_calls_node(c), om_clock_now(), from->call, OM_CLOSE_LIMIT);
    return OM_E_NO_MEM;
}

void om_calls_release(struct om_calls *c, struct om_call_owner *owner)
{
    OM_BUG_IF(!owner->is_open);
    owner->is_open = false;
    (void)om_table_remove(&c->owners, &owner->call);
}

void om_calls_hang_up(struct om_calls *c, struct om_call_owner *owner, enum om_close_code code)
{
    if (!owner->is_open)
        return;
    owner->is_open = false;
    (void)om_table_remove(&c->owners, &owner->call);
    om_node_hang_up(om_calls_node(c), om_clock_now(), owner->call, code);
}

void om_calls_refuse(struct om_calls *c, uint64_t call, const char *error, const char *text)
{
    if (om_node_refuse(om_calls_node(c), om_clock_now(), call, error, text) != OM_OK)
        om_node_hang_up(om_calls_node(c), om_clock_now(), call, OM_CLOSE_REFUSED);
}

bool om_calls_keep(const struct om_calls *c, const struct om_call_owner *owner, uv_buf_t *bufs,
                   unsigned count, uint8_t **copy)
{
    size_t size = 0;

    *copy = NULL;
    if (!om_node_is_loop(om_calls_node(c), owner->call))
        return true;
    for (unsigned i = 0; i < count; i++)
        size += bufs[i].len;
    uint8_t *to = *copy = malloc(size > 0 ? size : 1);
    for (unsigned i = 0; to && i < count; i++) {
        memcpy(to, bufs[i].base, bufs[i].len);
        bufs[i].base = (char *)to;
        to += bufs[i].len;
    }
    return to != NULL;
}

void om_calls_act(struct om_calls *c, const struct om_act *act)
{
    uint64_t call = act->kind == OM_ACT_REPLY ? act->reply.call : act->stream.call;
    struct om_call_owner *owner = om_table_find(&c->owners, &call);

    if (!owner) {
        om_node_hang_up(om_calls_node(c), om_clock_now(), call, OM_CLOSE_CANCELLED);
        return;
    }
    if (act->kind == OM_ACT_REPLY)
        owner->on_reply(owner, &act->reply);
    else
        owner->on_stream(owner, &act->stream);
}
