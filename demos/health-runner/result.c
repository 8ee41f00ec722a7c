/* result.c - setters, and one writer. */
#include "result.h"

#include <stdarg.h>
#include <stdio.h>

const char *om_verdict_name(enum om_verdict v)
{
    static const char *const names[] = {
#define X(code, text) text,
        OM_VERDICTS(X)
#undef X
    };

    return names[v];
}

void om_result_fini(struct om_result *r)
{
    json_decref(r->figures);
    om_series_fini(&r->series);
    *r = (struct om_result){0};
}

void om_result_want(struct om_result *r, bool holds, const char *fmt, ...)
{
    va_list args;

    if (holds || r->verdict == OM_VERDICT_FAILED)
        return;
    r->verdict = OM_VERDICT_FAILED;
    va_start(args, fmt);
    (void)vsnprintf(r->reason, sizeof r->reason, fmt, args);
    va_end(args);
}

void om_result_skip(struct om_result *r, const char *fmt, ...)
{
    va_list args;

    if (r->verdict != OM_VERDICT_HELD)
        return;
    r->verdict = OM_VERDICT_SKIPPED;
    va_start(args, fmt);
    (void)vsnprintf(r->reason, sizeof r->reason, fmt, args);
    va_end(args);
}

void om_result_say(struct om_result *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(r->measured, sizeof r->measured, fmt, args);
    va_end(args);
}

void om_result_figure(struct om_result *r, const char *name, double value)
{
    if (!r->figures)
        r->figures = json_object();
    (void)json_object_set_new(r->figures, name, json_real(value));
}

void om_result_mark(struct om_result *r, om_time at, const char *text)
{
    if (r->mark_count < OM_RESULT_MARKS)
        r->marks[r->mark_count++] = (struct om_mark){at, text};
}

void om_result_step(struct om_result *r, struct om_step step)
{
    if (r->step_count < OM_RESULT_STEPS)
        r->steps[r->step_count++] = step;
}

/* [sent, round trip or null] of each probe, in milliseconds. */
static json_t *probes_of(const struct om_series *s)
{
    json_t *rows = json_array();

    for (unsigned i = 0; i < s->count; i++) {
        const struct om_probe *p = &s->probes[i];
        json_t *rtt = p->rtt < 0 ? json_null() : json_real((double)p->rtt / 1000);

        (void)json_array_append_new(rows, json_pack("[f,o]", (double)p->sent / 1000, rtt));
    }
    return rows;
}

json_t *om_result_json(const struct om_result *r)
{
    json_t *marks = json_array(), *steps = json_array();

    for (unsigned i = 0; i < r->mark_count; i++)
        (void)json_array_append_new(marks,
                                    json_pack("{s:f,s:s}", "at_ms", (double)r->marks[i].at / 1000,
                                              "what", r->marks[i].text));
    for (unsigned i = 0; i < r->step_count; i++)
        (void)json_array_append_new(steps, json_pack("{s:f,s:f,s:f}", "offered",
                                                     r->steps[i].offered, "got", r->steps[i].got,
                                                     "loss_percent", r->steps[i].loss_percent));
    return json_pack("{s:s,s:s,s:s,s:f,s:O*,s:o,s:o,s:o,s:s*,s:s*}", "verdict",
                     om_verdict_name(r->verdict), "measured", r->measured, "reason", r->reason,
                     "seconds", r->seconds, "figures", r->figures, "probes", probes_of(&r->series),
                     "marks", marks, "steps", steps, "offered_in", r->offered_in, "got_in",
                     r->got_in);
}
