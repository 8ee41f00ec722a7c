/* play.c - the world of a script, its deeds in time, its checks at every instant. */
#include "play.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "crypto/cipher.h"
#include "deed.h"
#include "member.h"
#include "report.h"
#include "router.h"
#include "watch.h"

enum verdict { VERDICT_OPEN, VERDICT_HELD, VERDICT_FAILED };

struct judged {
    enum verdict verdict;
    om_time at;
    char seen[SIM_SEEN_MAX];
};

struct play;

/* A deed that is to happen, once or repeatedly. */
struct job {
    struct om_timer timer;
    struct play *play;
    const struct sim_deed *deed;
    uint64_t left;    /* of a paced send */
    struct job *next; /* of all jobs, for the end */
    bool is_send;     /* continues one occurrence of a paced send */
};

struct play {
    const struct sim_script *script;
    const struct sim_play_options *options;
    struct sim_world *world;
    struct sim_report report;
    struct judged *judged;
    struct job *jobs;
};

static void job_add(struct play *p, const struct sim_deed *d, om_time at, uint64_t left);

static void do_deed(struct play *p, const struct sim_deed *d)
{
    struct sim_world *w = p->world;
    const char *name = sim_deed_name(w, d);
    enum om_err e;

    sim_trace_add(&w->trace, w->now, SIM_TRACE_DEED, d->a >= 0 ? w->actors[d->a]->name : "", "",
                  om_bytes(name, strlen(name)));
    e = sim_deed_do(w, d);
    if (e != d->expect)
        sim_break(w, "%s:%u: %s: %s, wanted %s", p->script->file, d->line, sim_deed_name(w, d),
                  om_err_name(e), om_err_name(d->expect));
}

static void job_fire(struct om_timer *t, om_time now)
{
    struct job *j = OM_CONTAINER_OF(t, struct job, timer);
    const struct sim_deed *d = j->deed;
    struct play *p = j->play;

    if (j->is_send) {
        do_deed(p, d);
        if (--j->left > 0)
            sim_arm(p->world, t, now + d->pace);
        return;
    }
    if (d->verb == SIM_SEND && d->pace > 0)
        job_add(p, d, now, d->number);
    else
        do_deed(p, d);
    if (d->every > 0 && now + d->every <= d->until)
        sim_arm(p->world, t, now + d->every);
}

static void job_add(struct play *p, const struct sim_deed *d, om_time at, uint64_t left)
{
    struct job *j = sim_alloc(sizeof *j);

    *j = (struct job){.timer = {.fire = job_fire},
                      .play = p,
                      .deed = d,
                      .left = left,
                      .next = p->jobs,
                      .is_send = left > 0};
    p->jobs = j;
    sim_arm(p->world, &j->timer, at);
}

static void add_attacker(struct sim_world *w, const struct sim_decl_actor *d)
{
    struct sim_actor *a = sim_attacker_add(w, d->name, d->is_insider);

    if (a && d->spec.router > 0)
        sim_actor_behind(a, w->routers[d->spec.router - 1]);
}

static void build(struct play *p)
{
    const struct sim_script *s = p->script;
    struct sim_world *w = p->world;

    for (unsigned i = 0; i < s->network_count; i++) {
        const struct sim_decl_network *d = &s->networks[i];
        struct sim_network *n = sim_network_add(w, d->name, d->is_open, d->epoch);
        if (n && d->is_closed)
            sim_member_close(w, n);
    }
    for (unsigned i = 0; i < s->nat_count; i++) {
        const struct sim_decl_nat *n = &s->nats[i];
        if (!sim_router_add(w, n->name, &n->model, n->outer ? w->routers[n->outer - 1] : NULL))
            sim_break(w, "%s: no address is left", n->name);
    }
    for (unsigned i = 0; i < s->actor_count && !w->broken[0]; i++) {
        const struct sim_decl_actor *a = &s->actors[i];
        if (a->is_attacker)
            add_attacker(w, a);
        else
            sim_node_add(w, a->name, &a->spec);
    }
    for (unsigned i = 0; i < s->pipe_count; i++)
        sim_neck_add(w, s->pipes[i]);
    for (unsigned i = 0; i < s->check_count && !w->broken[0]; i++) {
        const struct sim_check *c = &s->checks[i];
        if (c->fact == SIM_FACT_LINK) /* measured from the start, since it will be asked about */
            sim_pair_measure(w, sim_pair(w, w->actors[c->a], w->actors[c->b]));
        if (c->fact == SIM_FACT_GAP || c->fact == SIM_FACT_MISSING)
            sim_watch_start(w, w->actors[c->a], w->actors[c->b]);
    }
    for (unsigned i = 0; i < s->deed_count; i++)
        job_add(p, &s->deeds[i], s->deeds[i].at, 0);
}

/* One check, which the world as it is stands for until @next. */
static void judge(struct play *p, const struct sim_check *c, struct judged *j, om_time next)
{
    bool is_last = c->until < next;
    bool holds = sim_check_holds(p->world, c, is_last ? j->seen : NULL);

    if (holds && c->when == SIM_NEVER) /* looked at with every event: its text only now */
        (void)sim_check_holds(p->world, c, j->seen);
    j->at = p->world->now;
    if (holds != (c->when == SIM_NEVER) && (holds || is_last))
        j->verdict = VERDICT_HELD;
    else if (holds == (c->when == SIM_NEVER) && (holds || is_last))
        j->verdict = VERDICT_FAILED;
}

/* All checks that are about the time from now until just before @next. */
static void judge_until(struct play *p, om_time next)
{
    const struct sim_script *s = p->script;
    struct sim_world *w = p->world;

    for (unsigned i = 0; i < s->check_count; i++) {
        const struct sim_check *c = &s->checks[i];
        if (p->judged[i].verdict != VERDICT_OPEN || c->from >= next || c->until < w->now)
            continue;
        om_time now = w->now;
        if (c->from > now)
            w->now = c->from; /* facts that depend on the clock alone */
        judge(p, c, &p->judged[i], next);
        w->now = now;
    }
}

static void run(struct play *p)
{
    struct sim_world *w = p->world;
    om_time end = p->script->end;

    while (!w->broken[0]) {
        om_time next = om_timers_deadline(&w->events);
        if (next > end)
            next = end + 1;
        if (next > w->now)
            judge_until(p, next);
        if (!sim_step(w, end))
            break;
    }
    if (!w->broken[0])
        w->now = end;
}

static void print_check(const struct play *p, const struct sim_check *c, const struct judged *j,
                        bool held)
{
    FILE *out = p->options->out;
    char at[OM_DURATION_TEXT];

    if (!out)
        return;
    om_duration_print(j->at, at, sizeof at);
    if (held && c->when == SIM_BY)
        fprintf(out, "  ok    line %u: %s (at %s)\n", c->line, c->source, at);
    else if (held && (c->fact == SIM_FACT_GAP || c->fact == SIM_FACT_MISSING))
        fprintf(out, "  ok    line %u: %s; it is %s\n", c->line, c->source, j->seen);
    else if (held)
        fprintf(out, "  ok    line %u: %s\n", c->line, c->source);
    else
        fprintf(out, "  FAIL  line %u: %s; seen at %s: %s\n", c->line, c->source, at,
                j->verdict == VERDICT_OPEN ? "nothing, the run ended before" : j->seen);
}

static void verdicts(const struct play *p, struct sim_result *out)
{
    const struct sim_script *s = p->script;

    for (unsigned i = 0; i < s->check_count; i++) {
        const struct sim_check *c = &s->checks[i];
        const struct judged *j = &p->judged[i];
        bool held =
            j->verdict == VERDICT_HELD || (j->verdict == VERDICT_OPEN && c->when == SIM_NEVER);
        print_check(p, c, j, held);
        if (!held && out->failed == 0)
            snprintf(out->first, sizeof out->first, "%.60s:%u: seen %.80s", s->file, c->line,
                     j->verdict == VERDICT_OPEN ? "nothing, the run ended before" : j->seen);
        out->held += held;
        out->failed += !held;
    }
}

static void sum_up(struct play *p, struct sim_result *out)
{
    struct sim_world *w = p->world;
    FILE *f = p->options->out;

    sim_report_end(&p->report);
    verdicts(p, out);
    out->steps = w->steps;
    out->delivered = p->report.delivered;
    sim_trace_hash(&w->trace, out->hash);
    memcpy(out->broken, w->broken, sizeof out->broken);
    if (f && w->broken[0])
        fprintf(f, "  FAIL  %s\n", w->broken);
    if (f)
        fprintf(f,
                "  %u checks held, %u failed; %" PRIu64 " events, %" PRIu64
                " datagrams delivered; trace %s\n",
                out->held, out->failed, out->steps, out->delivered, out->hash);
}

bool sim_play(const struct sim_script *s, const struct sim_play_options *o, struct sim_result *out)
{
    struct play p = {.script = s, .options = o};
    uint64_t seed = o->has_seed ? o->seed : s->seed;
    struct job *j;

    *out = (struct sim_result){0};
    if (o->out)
        fprintf(o->out, "%s, seed %" PRIu64 "\n", s->file, seed);
    p.world = sim_world_new(seed, o->is_verbose ? o->out : NULL);
    p.world->hops = (unsigned)s->hops;
    if (s->needs_aes && !(om_cipher_offered() & OM_CIPHER_AES)) {
        out->is_skipped = true;
        sim_world_free(p.world);
        return true;
    }
    p.world->is_verbose = o->is_verbose;
    p.world->cpu_ns = o->cpu_ns;
    if (o->steps_max > 0)
        p.world->steps_max = o->steps_max;
    p.judged = sim_alloc(s->check_count * sizeof *p.judged);
    p.report = (struct sim_report){
        .world = p.world, .out = o->out, .limit = o->is_verbose ? UINT32_MAX : SIM_LINES_SHOWN};
    p.world->on_note = sim_report_note;
    p.world->on_note_self = &p.report;
    build(&p);
    run(&p);
    sum_up(&p, out);
    sim_world_free(p.world);
    while ((j = p.jobs) != NULL) {
        p.jobs = j->next;
        free(j);
    }
    free(p.judged);
    return out->failed == 0 && out->broken[0] == '\0';
}
