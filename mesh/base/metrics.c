/* metrics.c - the registry and its text. */
#include <omerta/metrics.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

struct om_metric {
    const char *name, *help, *label_key;
    enum om_metric_kind kind;
    const uint64_t *value;        /* of a counter or gauge */
    const struct om_histogram *h; /* of a histogram */
    size_t next;                  /* entry of the same name, NONE at the end */
    size_t last;                  /* of the first of a name: the last one; NONE in the others */
    char label[OM_METRICS_LABEL_MAX + 1];
};

static const size_t NONE = SIZE_MAX;

enum om_err om_histogram_init(struct om_histogram *h, const uint64_t *bounds, uint64_t *counts,
                              size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (bounds[i] <= bounds[i - 1])
            return OM_E_RANGE;
    if (n == 0)
        return OM_E_RANGE;
    memset(counts, 0, (n + 1) * sizeof counts[0]);
    *h = (struct om_histogram){.bounds = bounds, .counts = counts, .n = n};
    return OM_OK;
}

void om_histogram_observe(struct om_histogram *h, uint64_t value)
{
    size_t i = 0;

    while (i < h->n && value > h->bounds[i])
        i++;
    h->counts[i]++;
    h->sum += value;
}

enum om_err om_metrics_init(struct om_metrics *m, size_t max)
{
    *m = (struct om_metrics){0};
    if (max == 0 || max > OM_METRICS_MAX)
        return OM_E_RANGE;
    m->entries = calloc(max, sizeof m->entries[0]);
    if (!m->entries)
        return OM_E_NO_MEM;
    m->max = max;
    return OM_OK;
}

void om_metrics_fini(struct om_metrics *m)
{
    free(m->entries);
    *m = (struct om_metrics){0};
}

/* Letters, "_", digits but not first, and ":" where @colon allows it. */
static enum om_err name_check(const char *text, bool colon)
{
    size_t n = strnlen(text, OM_METRICS_NAME_MAX + 1);

    if (n > OM_METRICS_NAME_MAX)
        return OM_E_RANGE;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool is_digit = c >= '0' && c <= '9';

        if (!is_letter && !(is_digit && i > 0) && !(c == ':' && colon))
            return OM_E_PARSE;
    }
    return n > 0 ? OM_OK : OM_E_PARSE;
}

static enum om_err text_check(const struct om_metric *e, const char *label)
{
    enum om_err err = name_check(e->name, true);

    if (err)
        return err;
    if (!om_text_is_utf8(om_bytes(e->help, strlen(e->help))) || !e->label_key != !label)
        return OM_E_PARSE;
    if (!e->label_key)
        return OM_OK;
    err = name_check(e->label_key, false);
    if (err)
        return err;
    if (strncmp(e->label_key, "__", 2) == 0 ||
        (e->kind == OM_METRIC_HISTOGRAM && strcmp(e->label_key, "le") == 0))
        return OM_E_PARSE;
    if (strnlen(label, OM_METRICS_LABEL_MAX + 1) > OM_METRICS_LABEL_MAX)
        return OM_E_RANGE;
    return om_text_is_utf8(om_bytes(label, strlen(label))) ? OM_OK : OM_E_PARSE;
}

/* @name is one of the three that the histogram @h is printed under. */
static bool is_part_of(const char *name, const struct om_metric *h)
{
    size_t n = strlen(h->name);

    if (h->kind != OM_METRIC_HISTOGRAM || strncmp(name, h->name, n) != 0)
        return false;
    return strcmp(name + n, "_bucket") == 0 || strcmp(name + n, "_sum") == 0 ||
           strcmp(name + n, "_count") == 0;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Finds the first entry of the new one's name, NONE if there is none; OM_E_EXISTS on a clash. */
static enum om_err place_find(const struct om_metrics *m, const struct om_metric *e, size_t *first)
{
    *first = NONE;
    for (size_t i = 0; i < m->n; i++) {
        const struct om_metric *o = &m->entries[i];

        if (is_part_of(e->name, o) || is_part_of(o->name, e))
            return OM_E_EXISTS;
        if (strcmp(o->name, e->name) != 0)
            continue;
        if (o->kind != e->kind || strcmp(o->help, e->help) != 0 ||
            !same_text(o->label_key, e->label_key) || strcmp(o->label, e->label) == 0)
            return OM_E_EXISTS;
        if (*first == NONE)
            *first = i;
    }
    return OM_OK;
}

static enum om_err entry_add(struct om_metrics *m, struct om_metric *e, const char *label)
{
    enum om_err err = text_check(e, label);
    size_t first;

    if (err)
        return err;
    if (label)
        memcpy(e->label, label, strlen(label) + 1);
    err = place_find(m, e, &first);
    if (err)
        return err;
    if (m->n == m->max)
        return OM_E_FULL;
    e->next = NONE;
    e->last = first == NONE ? m->n : NONE;
    if (first != NONE) {
        m->entries[m->entries[first].last].next = m->n;
        m->entries[first].last = m->n;
    }
    m->entries[m->n++] = *e;
    return OM_OK;
}

enum om_err om_metrics_add(struct om_metrics *m, const char *name, const char *help,
                           enum om_metric_kind kind, const uint64_t *value, const char *label_key,
                           const char *label_value)
{
    struct om_metric e = {
        .name = name, .help = help, .kind = kind, .value = value, .label_key = label_key};

    OM_BUG_IF((kind != OM_METRIC_COUNTER && kind != OM_METRIC_GAUGE) || !value);
    return entry_add(m, &e, label_value);
}

enum om_err om_metrics_add_histogram(struct om_metrics *m, const char *name, const char *help,
                                     const struct om_histogram *h, const char *label_key,
                                     const char *label_value)
{
    struct om_metric e = {
        .name = name, .help = help, .kind = OM_METRIC_HISTOGRAM, .h = h, .label_key = label_key};

    OM_BUG_IF(!h);
    return entry_add(m, &e, label_value);
}

/* Text that may be longer than the room for it; need counts all of it. */
struct page {
    char *p;
    size_t n, need;
};

OM_PRINTF(2, 3) static void put(struct page *o, const char *fmt, ...)
{
    bool fits = o->need < o->n;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(fits ? o->p + o->need : NULL, fits ? o->n - o->need : 0, fmt, ap);
    va_end(ap);
    OM_BUG_IF(len < 0);
    o->need += (size_t)len;
}

/* Help escapes backslash and newline, a label value the double quote too. */
static void escaped_put(struct page *o, const char *text, bool is_label)
{
    for (; *text; text++) {
        if (*text == '\n')
            put(o, "\\n");
        else if (*text == '\\' || (*text == '"' && is_label))
            put(o, "\\%c", *text);
        else
            put(o, "%c", *text);
    }
}

/* "name_suffix{key="value",le="bound"}"; @le may be NULL. */
static void name_put(struct page *o, const struct om_metric *e, const char *suffix, const char *le)
{
    put(o, "%s%s", e->name, suffix);
    if (!e->label_key && !le)
        return;
    put(o, "{");
    if (e->label_key) {
        put(o, "%s=\"", e->label_key);
        escaped_put(o, e->label, true);
        put(o, le ? "\"," : "\"");
    }
    if (le)
        put(o, "le=\"%s\"", le);
    put(o, "}");
}

static void histogram_put(struct page *o, const struct om_metric *e)
{
    uint64_t total = 0;
    char bound[24];

    for (size_t i = 0; i < e->h->n; i++) {
        total += e->h->counts[i];
        snprintf(bound, sizeof bound, "%" PRIu64, e->h->bounds[i]);
        name_put(o, e, "_bucket", bound);
        put(o, " %" PRIu64 "\n", total);
    }
    total += e->h->counts[e->h->n];
    name_put(o, e, "_bucket", "+Inf");
    put(o, " %" PRIu64 "\n", total);
    name_put(o, e, "_sum", NULL);
    put(o, " %" PRIu64 "\n", e->h->sum);
    name_put(o, e, "_count", NULL);
    put(o, " %" PRIu64 "\n", total);
}

size_t om_metrics_print(const struct om_metrics *m, char *out, size_t n)
{
    static const char *const kinds[] = {[OM_METRIC_COUNTER] = "counter",
                                        [OM_METRIC_GAUGE] = "gauge",
                                        [OM_METRIC_HISTOGRAM] = "histogram"};
    struct page o = {.p = out, .n = n};

    if (n > 0)
        out[0] = '\0';
    for (size_t i = 0; i < m->n; i++) {
        const struct om_metric *e = &m->entries[i];

        if (e->last == NONE) /* printed with the first of its name */
            continue;
        put(&o, "# HELP %s ", e->name);
        escaped_put(&o, e->help, false);
        put(&o, "\n# TYPE %s %s\n", e->name, kinds[e->kind]);
        for (size_t j = i; j != NONE; j = m->entries[j].next) {
            e = &m->entries[j];
            if (e->kind == OM_METRIC_HISTOGRAM) {
                histogram_put(&o, e);
                continue;
            }
            name_put(&o, e, "", NULL);
            put(&o, " %" PRIu64 "\n", *e->value);
        }
    }
    return o.need;
}
