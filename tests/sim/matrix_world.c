/* matrix_world.c - one world: made, run, and what was seen in it. */
#include <stdlib.h>
#include <string.h>

#include "matrix.h"
#include "natkind.h"
#include "request.h"
#include "router.h"

enum {
    SIDES = 2,
    MEMBERS = 6, /* public ones: two relays and those who only see */
    RELAYS = 2,
    SENT_MAX = 1 << 15, /* datagrams to unproven addresses that are noted of a side */
    PAUSE_MS = 1000,    /* without one: what follows is another attempt */
    FAST_MS = 50,       /* between data of who connected */
    SLOW_MS = 150       /* and of the other */
};

struct side {
    struct sim_actor *node;
    struct om_table heard;  /* addresses from which something came */
    struct om_addr outside; /* where others see it, but for the port */
    om_time tried_at;       /* it sent to where the other is seen for the first time; OM_NEVER */
    om_time sent[SENT_MAX];
    unsigned count;
    bool is_direct;    /* its data goes directly */
    om_time direct_at; /* its data went directly for the first time; OM_NEVER: never */
    om_time got_at;    /* data last came; OM_NEVER: none, as above */
    unsigned left;     /* how often it went directly no longer */
    om_time first;     /* data that came, from the beginning on */
    unsigned said;
};

struct meeting {
    struct sim_world *w;
    struct side side[SIDES]; /* who connects is the first */
    om_time began;
};

static void key_of(const struct om_addr *a, uint8_t out[static OM_ADDR_WIRE])
{
    struct om_wr w = om_wr(om_mut(out, OM_ADDR_WIRE));

    om_addr_write(&w, a);
}

static void on_wire(void *self, const struct sim_actor *who, const struct om_addr *remote,
                    bool is_out)
{
    struct meeting *m = self;
    uint8_t key[OM_ADDR_WIRE];

    for (unsigned i = 0; i < SIDES; i++) {
        struct side *s = &m->side[i];
        if (s->node != who)
            continue;
        key_of(remote, key);
        if (!is_out && !om_table_find(&s->heard, key) && om_table_put(&s->heard, key, s) != OM_OK)
            sim_break(m->w, "%s hears too many addresses", who->name);
        if (!is_out || om_table_find(&s->heard, key))
            continue;
        if (s->tried_at == OM_NEVER && m->began != OM_NEVER &&
            memcmp(remote->ip, m->side[!i].outside.ip, sizeof remote->ip) == 0)
            s->tried_at = m->w->now;
        if (s->count == SENT_MAX)
            sim_break(m->w, "%s sends too much to addresses that never answered", who->name);
        else
            s->sent[s->count++] = m->w->now;
    }
}

static void on_note(void *self, const struct sim_note *n)
{
    struct meeting *m = self;

    for (unsigned i = 0; i < SIDES; i++) {
        struct side *s = &m->side[i];
        if (n->self != s->node || n->other != m->side[!i].node)
            continue;
        if (n->kind == SIM_NOTE_DELIVER) {
            s->got_at = n->at;
            s->first = s->first == OM_NEVER ? n->at : s->first;
        }
        if (n->kind == SIM_NOTE_EVENT && n->act->event.kind == OM_EVENT_PATH_MOVED) {
            bool is_direct = n->act->event.b == 0;
            if (is_direct && s->direct_at == OM_NEVER)
                s->direct_at = n->at;
            if (s->is_direct && !is_direct)
                s->left++;
            s->is_direct = is_direct;
        }
    }
}

static struct sim_router *box(struct sim_world *w, const char *name, const char *kind,
                              const char *word, struct sim_router *outer)
{
    struct sim_nat_model model;
    bool is_good = sim_nat_kind(kind, &model) && (!word || sim_nat_set(&model, word));

    OM_BUG_IF(!is_good || !sim_nat_is_sound(&model));
    return sim_router_add(w, name, &model, outer);
}

/* The boxes in front of both sides of @p: those of the nodes, counted from 1; 0: none. */
static void boxes(struct sim_world *w, const struct matrix_pair *p, unsigned out[static SIDES])
{
    const struct matrix_kind *kinds[SIDES] = {p->a, p->b};
    static const char *const names[SIDES] = {"abox", "bbox"}, *const outer_names[] = {"acgn",
                                                                                      "bcgn"};
    struct sim_router *outer = NULL;

    for (unsigned i = 0; i < SIDES; i++) {
        const struct matrix_kind *k = kinds[i];
        out[i] = 0;
        if (k->box && i > 0 && p->near == MATRIX_ONE_BOX)
            out[i] = out[0];
        if (!k->box || out[i] > 0)
            continue;
        if (!k->outer)
            outer = NULL;
        else if (i == 0 || p->near == MATRIX_APART)
            outer = box(w, outer_names[i], k->outer,
                        p->near == MATRIX_ONE_DEAF ? "hairpin=no" : k->around, NULL);
        out[i] = box(w, names[i], k->box, k->word, outer)->index + 1;
    }
}

static void members_add(struct meeting *m)
{
    static const char *const names[MEMBERS] = {"r", "q", "w", "x", "y", "z"};
    struct sim_actor *r = NULL;

    for (unsigned i = 0; i < MEMBERS; i++) {
        struct sim_node_spec spec = {.gossip = true, .relays = i < RELAYS};
        struct sim_actor *a = sim_node_add(m->w, names[i], &spec);
        if (!a || (r && sim_connect(a, NULL, r, NULL, 0) != OM_OK))
            sim_break(m->w, "%s cannot connect", names[i]);
        r = r ? r : a;
    }
    for (unsigned i = 0; i < SIDES; i++)
        if (sim_connect(m->side[i].node, NULL, r, NULL, 0) != OM_OK)
            sim_break(m->w, "a side cannot connect to the relay");
}

/* Its record has no address: so gossip, which makes partners of all members of so small a network,
 * does not bring the two together before they are told to meet. */
static void hide(struct sim_actor *a)
{
    struct om_announce says = {.name = "hidden"};

    if (om_node_announce(a->node, sim_node_clock(a), &a->world->networks[0].id, &says) != OM_OK)
        sim_break(a->world, "%s cannot announce itself", a->name);
    sim_node_drain(a);
}

static struct om_addr outside_of(const struct sim_actor *a)
{
    const struct sim_router *r = a->router;

    while (r && r->outer)
        r = r->outer;
    return r ? r->box.outside : a->addr;
}

static void build(struct meeting *m, const struct matrix_pair *p, uint64_t seed)
{
    static const char *const names[SIDES] = {"a", "b"};
    static const uint8_t sip[OM_SIP_KEY];
    unsigned routers[SIDES];

    m->began = OM_NEVER;
    m->w->model.latency = OM_MS(MATRIX_LATENCY_MS);
    m->w->model.loss.ppm = MATRIX_LOSS_PPM;
    m->w->on_wire = on_wire;
    m->w->on_note = on_note;
    m->w->on_wire_self = m->w->on_note_self = m;
    sim_network_add(m->w, "main", true, 0);
    (void)box(m->w, "nobody", "full", NULL,
              NULL); /* where there is a box, nodes say where they are */
    boxes(m->w, p, routers);
    for (unsigned i = 0; i < SIDES; i++) {
        struct sim_node_spec spec = {.gossip = true, .router = routers[i]};
        struct side *s = &m->side[seed & 1 ? i : !i];
        if (om_table_init(&s->heard, OM_ADDR_WIRE, OM_TABLE_MAX, sip) != OM_OK)
            sim_break(m->w, "no memory");
        s->first = s->got_at = s->direct_at = s->tried_at = OM_NEVER;
        s->node = sim_node_add(m->w, names[i], &spec);
        hide(s->node);
        s->outside = outside_of(s->node);
    }
    members_add(m);
}

/* Whoever has no session yet may be told to wait; that is seen by what arrives. */
static void talk(struct meeting *m, unsigned i)
{
    if (sim_send(m->side[i].node, NULL, m->side[!i].node, "chat", om_bytes("on and on", 9), 0) ==
        OM_OK)
        m->side[i].said++;
}

static void run(struct meeting *m)
{
    struct sim_actor *a = m->side[0].node, *b = m->side[1].node;

    sim_run(m->w, OM_SEC(MATRIX_BEGIN_S));
    m->began = m->w->now;
    if (sim_connect(a, NULL, b, &a, 0) != OM_OK) /* told no address */
        sim_break(m->w, "%s cannot connect", a->name);
    for (om_time at = 0; at < OM_SEC(MATRIX_LASTS_S) && !*m->w->broken; at += OM_MS(FAST_MS)) {
        talk(m, 0);
        if (at % OM_MS(SLOW_MS) == 0 && sim_has_session(b, a))
            talk(m, 1);
        sim_run(m->w, m->began + at + OM_MS(FAST_MS));
    }
}

/* What side @s sent to addresses that never answered: the most in one go, and in a second. */
static void count(const struct side *s, struct matrix_run *out)
{
    for (unsigned i = 0, from = 0, second = 0; i < s->count; i++) {
        if (i > 0 && s->sent[i] - s->sent[i - 1] > OM_MS(PAUSE_MS))
            from = i;
        while (s->sent[i] - s->sent[second] >= OM_SEC(1))
            second++;
        if (i - from + 1 > out->attempt)
            out->attempt = i - from + 1;
        if (s->sent[i] - s->sent[from] > out->span)
            out->span = s->sent[i] - s->sent[from];
        if (i - second + 1 > out->per_s)
            out->per_s = i - second + 1;
    }
}

static void look(const struct meeting *m, struct matrix_run *out)
{
    const struct side *a = &m->side[0], *b = &m->side[1];
    const struct sim_pair *p = sim_pair(m->w, b->node, a->node);
    om_time late = m->w->now - OM_SEC(1);

    *out = (struct matrix_run){.is_done = true, .first = OM_NEVER, .direct = OM_NEVER};
    snprintf(out->broken, sizeof out->broken, "%s", m->w->broken);
    out->is_connected =
        a->got_at != OM_NEVER && a->got_at >= late && b->got_at != OM_NEVER && b->got_at >= late;
    if (b->first != OM_NEVER)
        out->first = b->first - m->began;
    out->is_direct = a->direct_at != OM_NEVER && b->direct_at != OM_NEVER;
    out->is_back = out->is_direct && !(a->is_direct && b->is_direct);
    out->left = a->left + b->left;
    if (out->is_direct)
        out->direct = (a->direct_at > b->direct_at ? a->direct_at : b->direct_at) - m->began;
    if (out->direct < 0) /* they had met before */
        out->direct = 0;
    om_time tried = om_time_min(om_time_min(a->tried_at, b->tried_at) - m->began, out->direct);
    out->took = out->is_direct ? out->direct - tried : OM_NEVER;
    out->lost = a->said ? (unsigned)(1000 - 1000 * p->got / a->said) : 1000;
    count(a, out);
    count(b, out);
}

void matrix_meet(const struct matrix_pair *p, uint64_t seed, FILE *log, struct matrix_run *out)
{
    struct meeting *m = sim_alloc(sizeof *m);

    m->w = sim_world_new(seed * 1000 + p->near * 401 + p->row * 31 + p->column, log);
    m->w->is_verbose = log != NULL;
    build(m, p, seed);
    run(m);
    look(m, out);
    sim_world_free(m->w);
    for (unsigned i = 0; i < SIDES; i++)
        om_table_fini(&m->side[i].heard);
    free(m);
}
