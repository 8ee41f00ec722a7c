/* health.c - figures as JSON and back, each checked by itself. */
#include "service/health.h"

#include <string.h>

static const json_int_t figure_max = (json_int_t)1 << 53; /* above it JSON's readers disagree */

/* True when there was nothing to set, or it was. */
static bool set_figure(json_t *o, const char *name, double v)
{
    return v < 0 || json_object_set_new(o, name, json_integer((json_int_t)v)) == 0;
}

json_t *om_health_encode(const struct om_health_status *s, json_t *metrics)
{
    json_t *o = json_object();
    bool done = o != NULL;

    if (done && s->version[0] != '\0')
        done = json_object_set_new(o, "version", json_string(s->version)) == 0;
    done = done && set_figure(o, "uptime_s", s->uptime_s) && set_figure(o, "peers", s->peers) &&
           set_figure(o, "sessions", s->sessions);
    if (done && metrics)
        done = json_object_set(o, "metrics", metrics) == 0;
    json_decref(metrics);
    if (done)
        return o;
    json_decref(o);
    return NULL;
}

/* A whole number, however it is written; -1 and a count when it is there and is none. */
static double get_figure(const json_t *ok, const char *name, unsigned *refused)
{
    const json_t *v = json_object_get(ok, name);
    double real = json_real_value(v);
    json_int_t whole = json_integer_value(v);

    if (!v)
        return -1;
    if (json_is_real(v) && real >= 0 && real <= (double)figure_max)
        whole = (json_int_t)real;
    if (json_is_number(v) && whole >= 0 && whole <= figure_max &&
        (double)whole == json_number_value(v))
        return (double)whole;
    (*refused)++;
    return -1;
}

void om_health_decode(const json_t *ok, struct om_health_status *out)
{
    const json_t *version = json_object_get(ok, "version");
    size_t n = json_string_length(version);

    *out = (struct om_health_status){0};
    if (json_is_string(version) && n <= OM_HEALTH_TEXT_MAX)
        memcpy(out->version, json_string_value(version), n + 1);
    else
        out->refused += version != NULL;
    out->uptime_s = get_figure(ok, "uptime_s", &out->refused);
    out->peers = get_figure(ok, "peers", &out->refused);
    out->sessions = get_figure(ok, "sessions", &out->refused);
}
