/* plot.c - lines, circles and bars. */
#include "plot.h"

enum { WIDTH = 720, HEIGHT = 160, LEFT = 56, BOTTOM = 24, TOP = 14 };

static void begin(FILE *to, const char *label, double most, const char *unit)
{
    (void)fprintf(to,
                  "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
                  "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>"
                  "<text x=\"%d\" y=\"%d\" class=\"end\">%.4g %s</text>"
                  "<text x=\"%d\" y=\"%d\" class=\"end\">0</text>\n",
                  WIDTH, HEIGHT, label, LEFT, TOP, HEIGHT - BOTTOM, WIDTH, LEFT - 4, TOP + 4, most,
                  unit, LEFT - 4, HEIGHT - BOTTOM);
}

static void end(FILE *to, double most, const char *unit)
{
    (void)fprintf(to, "<text x=\"%d\" y=\"%d\" class=\"end\">%.4g %s</text></svg>\n", WIDTH,
                  HEIGHT - 6, most, unit);
}

/* Where @value of @most is, from left to right and from the bottom up. */
static double across(double value, double most)
{
    return LEFT + (most > 0 ? value / most : 0) * (WIDTH - LEFT - 2);
}

static double above(double value, double most)
{
    return HEIGHT - BOTTOM - (most > 0 ? value / most : 0) * (HEIGHT - BOTTOM - TOP);
}

/* The time that the plot is of, and its longest round trip, in milliseconds. */
static void extent(const struct om_result *r, double *time, double *rtt)
{
    const struct om_series *s = &r->series;

    *time = *rtt = 0;
    for (unsigned i = 0; i < s->count; i++) {
        double at = (double)s->probes[i].sent / 1000, took = (double)s->probes[i].rtt / 1000;
        *time = at > *time ? at : *time;
        *rtt = took > *rtt ? took : *rtt;
    }
    for (unsigned i = 0; i < r->mark_count; i++) {
        double at = (double)r->marks[i].at / 1000;
        *time = at > *time ? at : *time;
    }
}

void om_plot_time(FILE *to, const struct om_result *r)
{
    const struct om_series *s = &r->series;
    unsigned each = s->count / OM_PLOT_POINTS + 1;
    double time, rtt;

    if (s->count == 0)
        return;
    extent(r, &time, &rtt);
    begin(to, "round trips over time", rtt, "ms");
    /* What had no answer is a line along the bottom, for each a stroke. */
    (void)fputs("<path class=\"lost\" d=\"", to);
    for (unsigned i = 0; i < s->count; i++)
        if (s->probes[i].rtt < 0)
            (void)fprintf(to, "M%.1f %dv8", across((double)s->probes[i].sent / 1000, time),
                          HEIGHT - BOTTOM);
    (void)fputs("\"/>\n<path class=\"dot\" d=\"", to);
    for (unsigned i = 0; i < s->count; i += each)
        if (s->probes[i].rtt >= 0)
            (void)fprintf(to, "M%.1f %.1fh.1", across((double)s->probes[i].sent / 1000, time),
                          above((double)s->probes[i].rtt / 1000, rtt));
    (void)fputs("\"/>\n", to);
    for (unsigned i = 0; i < r->mark_count; i++) {
        double x = across((double)r->marks[i].at / 1000, time);
        (void)fprintf(to,
                      "<path class=\"mark\" d=\"M%.1f %dV%d\"/>"
                      "<text x=\"%.1f\" y=\"%d\">%s</text>\n",
                      x, TOP, HEIGHT - BOTTOM, x + 2, TOP - 3, r->marks[i].text);
    }
    end(to, time / 1000, "s");
}

void om_plot_histogram(FILE *to, const struct om_result *r)
{
    const struct om_series *s = &r->series;
    unsigned bars[OM_PLOT_BARS] = {0}, tallest = 0;
    double most = om_series_percentile(s, 99);

    if (most <= 0)
        return;
    /* The last bar is of all that took longer than 99 of 100. */
    for (unsigned i = 0; i < s->count; i++) {
        double ms = (double)s->probes[i].rtt / 1000;
        unsigned bar = ms < 0 ? 0 : (unsigned)(ms / most * (OM_PLOT_BARS - 1));
        bar = bar < OM_PLOT_BARS ? bar : OM_PLOT_BARS - 1;
        bars[bar] += ms >= 0;
        tallest = bars[bar] > tallest ? bars[bar] : tallest;
    }
    begin(to, "how many took how long", tallest, "");
    for (unsigned i = 0; i < OM_PLOT_BARS; i++)
        (void)fprintf(
            to, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            across(i, OM_PLOT_BARS), above(bars[i], tallest), across(1, OM_PLOT_BARS) - LEFT - 1,
            HEIGHT - BOTTOM - above(bars[i], tallest));
    end(to, most * OM_PLOT_BARS / (OM_PLOT_BARS - 1), "ms and more");
}

void om_plot_ramp(FILE *to, const struct om_result *r)
{
    double most = 0;

    if (r->step_count == 0)
        return;
    for (unsigned i = 0; i < r->step_count; i++)
        most = r->steps[i].got > most ? r->steps[i].got : most;
    begin(to, "what came of each step", most, r->got_in ? r->got_in : "");
    for (unsigned i = 0; i < r->step_count; i++) {
        const struct om_step *s = &r->steps[i];
        double x = across(i, r->step_count), width = across(1, r->step_count) - LEFT - 8;
        (void)fprintf(to,
                      "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
                      "<text x=\"%.1f\" y=\"%d\">%.4g</text>",
                      s->loss_percent > 1 ? "bar bad" : "bar", x, above(s->got, most), width,
                      HEIGHT - BOTTOM - above(s->got, most), x, HEIGHT - 8, s->offered);
        (void)fprintf(to, "<text x=\"%.1f\" y=\"%.1f\">%.4g</text>\n", x, above(s->got, most) - 2,
                      s->got);
    }
    (void)fprintf(to, "<text x=\"%d\" y=\"%d\" class=\"end\">%s</text></svg>\n", WIDTH, HEIGHT - 8,
                  r->offered_in ? r->offered_in : "");
}
