/* report.c - lines for people. */
#include "report.h"

#include <inttypes.h>

#include <omerta/text.h>

#include "flight.h"

enum { TEXT_SHOWN = 40, ENDS_SHOWN = 40 };

/* "b (k3jxabcdef)": a name, and the start of the key behind it. */
static const char *who(struct sim_actor *a, struct sim_actor *towards, char *out, size_t n)
{
    char id[OM_ID_SHORT];

    if (!a)
        snprintf(out, n, "a stranger");
    else
        snprintf(out, n, "%s (%s)", a->name,
                 om_id_short(sim_actor_id(a, sim_common_network(a, towards)), id));
    return out;
}

static void event_line(struct sim_report *r, const struct sim_note *n, const char *at)
{
    const struct om_event *e = &n->act->event;
    char self[SIM_NAME_MAX + OM_ID_SHORT + 4], other[sizeof self];
    struct om_peer_info info = {.cipher = ""};

    who(n->self, n->other ? n->other : n->self, self, sizeof self);
    who(n->other, n->self, other, sizeof other);
    if (n->other && (e->kind == OM_EVENT_SESSION_UP || e->kind == OM_EVENT_SESSION_REKEYED) &&
        sim_peer_info(n->self, n->other, &info) == OM_OK) {
        fprintf(r->out, "  %11s  %s has %s with %s: %s, initiated by %s, epoch %" PRIu32 "\n", at,
                self, e->kind == OM_EVENT_SESSION_UP ? "a session" : "new keys", other, info.cipher,
                e->b ? n->self->name : n->other->name, info.epoch);
        return;
    }
    fprintf(r->out, "  %11s  %s notes %s", at, self, om_event_name(e->kind));
    if (n->other)
        fprintf(r->out, " of %s", other);
    fprintf(r->out, ", a=%" PRIu64 " b=%" PRIu64 "\n", e->a, e->b);
}

static void print(struct sim_report *r, const struct sim_note *n)
{
    char at[OM_DURATION_TEXT], took[OM_DURATION_TEXT], text[OM_ESCAPE_LEN(TEXT_SHOWN)];

    om_duration_print(n->at, at, sizeof at);
    switch (n->kind) {
    case SIM_NOTE_DELIVER:
        om_text_escape(text, sizeof text,
                       om_bytes(n->text.p, n->text.n < TEXT_SHOWN ? n->text.n : TEXT_SHOWN));
        fprintf(r->out, "  %11s  %s got \"%s\" from %s on %s, %s after it was sent\n", at,
                n->self->name, text, n->other->name, n->act->deliver.channel,
                om_duration_print(n->age, took, sizeof took));
        return;
    case SIM_NOTE_PONG:
        fprintf(r->out, "  %11s  %s has %s's answer to its ping: rtt %s\n", at, n->self->name,
                n->other ? n->other->name : "?",
                om_duration_print(n->act->pong.rtt, took, sizeof took));
        return;
    case SIM_NOTE_EVENT:
        event_line(r, n, at);
        return;
    }
}

void sim_report_note(void *self, const struct sim_note *n)
{
    struct sim_report *r = self;

    r->delivered += n->kind == SIM_NOTE_DELIVER;
    if (r->lines++ < r->limit && r->out)
        print(r, n);
}

static void session_line(const struct sim_report *r, struct sim_actor *a, struct sim_actor *b)
{
    char one[SIM_NAME_MAX + OM_ID_SHORT + 4], two[sizeof one], rtt[OM_DURATION_TEXT];
    struct om_peer_info i;

    if (sim_peer_info(a, b, &i) != OM_OK || !i.has_session)
        return;
    fprintf(r->out, "  stands: %s - %s, %s, initiated by %s, rtt %s, %" PRIu64 " handshakes%s\n",
            who(a, b, one, sizeof one), who(b, a, two, sizeof two), i.cipher,
            i.initiated ? a->name : b->name,
            i.srtt ? om_duration_print(i.srtt, rtt, sizeof rtt) : "unknown", i.handshakes,
            sim_has_session(b, a) ? "" : " (half: the other side has none)");
}

/* What a node threw away, in one line; nothing when that is nothing. */
static void drops_line(const struct sim_report *r, const struct sim_actor *a)
{
    struct om_node_info info;
    bool is_first = true;

    if (!a->node)
        return;
    om_node_info(a->node, &info);
    for (unsigned i = 0; i < OM_DROP_COUNT; i++) {
        if (info.drops[i] == 0)
            continue;
        if (is_first)
            fprintf(r->out, "  %s dropped:", a->name);
        fprintf(r->out, "%s %s %" PRIu64, is_first ? "" : ",", om_drop_name((enum om_drop)i),
                info.drops[i]);
        is_first = false;
    }
    if (!is_first)
        fprintf(r->out, "\n");
}

/* What passed a pipe since it was last measured. */
static void pipe_line(const struct sim_report *r, const struct sim_neck *n)
{
    const struct sim_meter *m = &n->pipe.meter;
    char since[OM_DURATION_TEXT], p95[OM_DURATION_TEXT], most[OM_DURATION_TEXT];
    om_time now = r->world->now;

    fprintf(r->out,
            "  pipe %s since %s: %" PRIu64 " datagrams out at %" PRIu64 " kb/s, %" PRIu64
            " dropped, wait %s (95%%) to %s\n",
            n->name, om_duration_print(m->since, since, sizeof since), m->packets_out,
            sim_meter_read(m, &n->pipe.rate, SIM_READ_RATE, now) / 1000,
            sim_meter_read(m, &n->pipe.rate, SIM_READ_DROPPED, now),
            om_duration_print(sim_meter_percentile(m, 95), p95, sizeof p95),
            om_duration_print(m->wait_max, most, sizeof most));
}

void sim_report_end(const struct sim_report *r)
{
    struct sim_world *w = r->world;

    if (!r->out)
        return;
    if (r->lines > r->limit)
        fprintf(r->out, "  and %u more; -v shows all\n", r->lines - r->limit);
    for (unsigned i = 0; i < w->neck_count; i++)
        pipe_line(r, w->necks[i]);
    if (w->actor_count > ENDS_SHOWN)
        return;
    for (unsigned i = 0; i < w->actor_count; i++)
        for (unsigned j = i + 1; j < w->actor_count; j++) {
            struct sim_actor *a = w->actors[i], *b = w->actors[j];
            bool at_a = !a->is_attacker && !b->is_attacker && sim_has_session(a, b);
            if (at_a)
                session_line(r, a, b);
            else if (!a->is_attacker && !b->is_attacker && sim_has_session(b, a))
                session_line(r, b, a);
        }
    for (unsigned i = 0; i < w->actor_count; i++)
        drops_line(r, w->actors[i]);
    if (w->junk_count > 0)
        fprintf(r->out, "  attackers' datagrams handled: %" PRIu64, w->junk_count);
    if (w->junk_count > 0 && w->junk_ns > 0)
        fprintf(r->out, ", at %" PRIu64 " ns of CPU each", w->junk_ns / w->junk_count);
    if (w->junk_count > 0)
        fprintf(r->out, "\n");
}
