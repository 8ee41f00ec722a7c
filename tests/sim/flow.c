/* flow.c - the two programs at the ends of a stream. */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include "request.h"

enum { PERIOD = 65521, MARK = 251 };

/* The byte at offset o is pattern[o % PERIOD]; longer by one write, so that every write is one
 * piece of it. */
static const uint8_t *pattern(uint64_t offset)
{
    static uint8_t bytes[PERIOD + SIM_FLOW_WRITE];

    if (bytes[1] == 0)
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)((i % PERIOD) * 31 % MARK + 1);
    return bytes + offset % PERIOD;
}

static void broke(struct sim_flow *f, const char *why, uint32_t code)
{
    if (!f->is_broken)
        snprintf(f->why, sizeof f->why, "%s", why);
    f->is_broken = true;
    f->code = code;
}

static void hang_up(struct sim_actor *a, uint64_t *call)
{
    if (*call != 0)
        om_node_hang_up(a->node, sim_node_clock(a), *call, 0);
    *call = 0;
}

static void write_more(struct sim_flow *f)
{
    om_time now = sim_node_clock(f->from);

    while (f->out != 0 && f->written < f->total &&
           f->written - f->released <= SIM_FLOW_AHEAD - SIM_FLOW_WRITE) {
        uint64_t left = f->total - f->written;
        size_t size = left < SIM_FLOW_WRITE ? (size_t)left : SIM_FLOW_WRITE;
        enum om_err e =
            om_node_write(f->from->node, now, f->out, om_bytes(pattern(f->written), size));
        if (e == OM_E_BUSY)
            return;
        if (e != OM_OK) {
            broke(f, om_err_text(e), 0);
            return;
        }
        f->written += size;
    }
    if (f->out != 0 && f->written == f->total && !f->is_finished) {
        f->is_finished = true;
        if (om_node_finish(f->from->node, now, f->out) != OM_OK)
            broke(f, "could not be finished", 0);
    }
}

static void read_all(struct sim_flow *f)
{
    om_time now = sim_node_clock(f->to);
    bool is_end = false;

    while (f->in != 0 && !f->is_stalled) {
        struct om_bytes b = om_node_read(f->to->node, f->in, &is_end);
        if (b.n == 0)
            break;
        size_t n = b.n < SIM_FLOW_WRITE ? b.n : SIM_FLOW_WRITE;
        if (memcmp(b.p, pattern(f->received), n) != 0) {
            broke(f, "wrong bytes", 0);
            sim_break(f->to->world, "%s read wrong bytes from %s at %llu", f->to->name,
                      f->from->name, (unsigned long long)f->received);
            return;
        }
        f->received += n;
        f->last_at = f->to->world->now;
        if (f->first_at == 0)
            f->first_at = f->last_at;
        om_node_consume(f->to->node, now, f->in, n);
    }
    if (is_end && !f->is_complete) {
        f->is_complete = true;
        if (om_node_finish(f->to->node, now, f->in) != OM_OK)
            broke(f, "could not be finished", 0);
        if (f->received != f->written || !f->is_finished)
            sim_break(f->to->world, "%s: the end of a stream came early", f->to->name);
    }
}

struct sim_flow *sim_flow_start(struct sim_actor *from, struct sim_actor *to, uint64_t total,
                                enum om_priority priority)
{
    struct sim_world *w = from->world;
    const struct sim_network *net = sim_common_network(from, to);
    char args[32];

    if (!from->node || w->flow_count == SIM_FLOWS_MAX) {
        sim_break(w, "%s cannot stream to %s", from->name, to->name);
        return NULL;
    }
    struct sim_flow *f = sim_alloc(sizeof *f);
    struct sim_flow **more = sim_alloc((w->flow_count + 1) * sizeof(struct sim_flow *));
    if (w->flow_count > 0)
        memcpy(more, w->flows, w->flow_count * sizeof(struct sim_flow *));
    free(w->flows);
    w->flows = more;
    w->flows[w->flow_count] = f;
    *f = (struct sim_flow){
        .from = from, .to = to, .number = w->flow_count++, .total = total, .started_at = w->now};
    int n = snprintf(args, sizeof args, "{\"flow\":%u}", f->number);
    struct om_call_config c = {
        .method = "sim.sink", .args = om_bytes(args, (size_t)n), .priority = priority};
    enum om_err e = om_node_call(from->node, sim_node_clock(from), &net->id, sim_actor_id(to, net),
                                 &c, &f->out);
    if (e != OM_OK)
        broke(f, om_err_text(e), 0);
    sim_node_drain(from);
    return f;
}

void sim_flow_stop(struct sim_flow *f)
{
    f->total = f->written;
    write_more(f);
    sim_node_drain(f->from);
}

void sim_flow_stall(struct sim_flow *f, bool stalled)
{
    f->is_stalled = stalled;
    read_all(f);
    if (f->to->node)
        sim_node_drain(f->to);
}

static struct sim_flow *find(struct sim_actor *a, uint64_t call)
{
    struct sim_world *w = a->world;

    for (unsigned i = 0; i < w->flow_count; i++) {
        struct sim_flow *f = w->flows[i];
        if ((f->from == a && f->out == call) || (f->to == a && f->in == call))
            return f;
    }
    return NULL;
}

static void accept(struct sim_actor *a, const struct om_act_call *c)
{
    static const char head[] = "{\"flow\":";
    struct sim_world *w = a->world;
    uint64_t number = 0;

    for (size_t i = sizeof head - 1; i < c->args.n && c->args.p[i] != '}'; i++)
        number = 10 * number + (uint64_t)(c->args.p[i] - '0');
    struct sim_flow *f = number < w->flow_count ? w->flows[number] : NULL;
    if (!f || f->to != a || f->in != 0) {
        sim_break(w, "%s: a stream that nobody began", a->name);
        return;
    }
    f->in = c->call;
    if (om_node_accept(a->node, sim_node_clock(a), c->call, om_bytes(NULL, 0)) != OM_OK)
        broke(f, "could not be accepted", 0);
}

static void on_news(struct sim_actor *a, struct sim_flow *f, const struct om_act_stream *s)
{
    bool is_sender = f->from == a && f->out == s->call;

    if (s->news & (OM_CALL_RESET | OM_CALL_STOPPED))
        broke(f, s->news & OM_CALL_RESET ? "reset" : "stopped", s->code);
    if (is_sender && s->news & OM_CALL_RELEASED)
        f->released = s->released;
    if (is_sender && !f->is_broken)
        write_more(f);
    if (!is_sender && s->news & OM_CALL_READABLE)
        read_all(f);
    if (s->news & OM_CALL_DONE || f->is_broken)
        hang_up(a, is_sender ? &f->out : &f->in);
}

bool sim_flow_act(struct sim_actor *a, const struct om_act *act)
{
    struct sim_flow *f;

    switch (act->kind) {
    case OM_ACT_CALL:
        if (strcmp(act->call.method, "sim.sink") != 0)
            return false;
        accept(a, &act->call);
        return true;
    case OM_ACT_REPLY:
        f = find(a, act->reply.call);
        if (f && act->reply.is_ok)
            write_more(f);
        else if (f) {
            broke(f, act->reply.error, 0);
            hang_up(a, &f->out);
        }
        return f != NULL;
    case OM_ACT_STREAM:
        f = find(a, act->stream.call);
        if (f)
            on_news(a, f, &act->stream);
        return f != NULL;
    default:
        return false;
    }
}

double sim_flow_rate(uint64_t bytes, om_time time)
{
    return time > 0 ? (double)bytes * 8e6 / (double)time : 0;
}
