/* pong.c - sums. */
#include "pong.h"

#include <inttypes.h>
#include <stdio.h>

void om_pong_add(struct om_pong *p, double rtt_ms)
{
    p->sent++;
    if (rtt_ms < 0)
        return;
    if (!p->answered || rtt_ms < p->least)
        p->least = rtt_ms;
    if (!p->answered || rtt_ms > p->greatest)
        p->greatest = rtt_ms;
    p->sum += rtt_ms;
    p->answered++;
}

double om_pong_loss(const struct om_pong *p)
{
    return p->sent ? 100.0 * (double)(p->sent - p->answered) / (double)p->sent : 0;
}

static double mean(const struct om_pong *p)
{
    return p->answered ? p->sum / (double)p->answered : 0;
}

char *om_pong_print(const struct om_pong *p, char *buf, size_t n)
{
    int used = snprintf(buf, n, "%" PRIu64 " sent, %" PRIu64 " answered, %.0f%% loss", p->sent,
                        p->answered, om_pong_loss(p));

    if (p->answered && used > 0 && (size_t)used < n)
        snprintf(buf + used, n - (size_t)used, "\nrtt min/avg/max = %.3f/%.3f/%.3f ms", p->least,
                 mean(p), p->greatest);
    return buf;
}

static json_t *figure(const struct om_pong *p, double value)
{
    return p->answered ? json_real(value) : json_null();
}

json_t *om_pong_json(const struct om_pong *p)
{
    return json_pack("{s:I, s:I, s:f, s:o, s:o, s:o}", "sent", (json_int_t)p->sent, "answered",
                     (json_int_t)p->answered, "loss_percent", om_pong_loss(p), "min_ms",
                     figure(p, p->least), "avg_ms", figure(p, mean(p)), "max_ms",
                     figure(p, p->greatest));
}
