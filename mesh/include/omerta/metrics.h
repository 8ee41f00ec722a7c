/*
 * metrics.h - registry of counters, gauges and histograms, printed for Prometheus
 *
 * What:  names point at numbers that their owners keep; printing reads them all.
 * Why:   counting is then "n++" on the owner's own field: no call, no lock, no lookup.
 * Keeps: metrics_print_follows_the_exposition_format; metrics_names_follow_the_grammar;
 *        metrics_duplicates_are_refused; metrics_table_is_bounded;
 *        metrics_print_needs_what_it_says; metrics_labels_are_escaped;
 *        histogram_counts_each_value_once.
 *
 * Names, help and label keys are borrowed until om_metrics_fini(), as are the values; all entries
 * of one name are printed together, in the order in which they were added.
 *
 * Source: Prometheus text exposition format 0.0.4 and its data model (metric and label names).
 */
#ifndef OMERTA_METRICS_H
#define OMERTA_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_METRICS_MAX = 4096,    /* entries that om_metrics_init() may be asked for */
    OM_METRICS_NAME_MAX = 96, /* characters of a name or a label key */
    OM_METRICS_LABEL_MAX = 80 /* bytes of a label value; longer ones are refused */
};

#define OM_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum om_metric_kind {
    OM_METRIC_COUNTER, /* only ever grows; the name should end in _total */
    OM_METRIC_GAUGE,
    OM_METRIC_HISTOGRAM /* added by om_metrics_add_histogram() only */
};

/* Read freely; write only through om_histogram_*(). The arrays are the caller's. */
struct om_histogram {
    const uint64_t *bounds; /* n upper bounds, inclusive, ascending */
    uint64_t *counts;       /* n + 1: the last one is for values above every bound */
    size_t n;
    uint64_t sum;
};

struct om_metric; /* one entry, see metrics.c */

struct om_metrics {
    struct om_metric *entries; /* owns */
    size_t n, max;
};

/**
 * om_histogram_init() - empty counts over fixed bounds
 * @h:       the caller's
 * @bounds:  @n upper bounds, strictly ascending; borrowed for the life of @h
 * @counts:  @n + 1 numbers, set to 0; borrowed for the life of @h
 * @n:       at least 1
 *
 * Return: OM_OK, or OM_E_RANGE when the bounds do not ascend or there is none.
 */
OM_MUST enum om_err om_histogram_init(struct om_histogram *h, const uint64_t *bounds,
                                      uint64_t *counts, size_t n);

/** om_histogram_observe() - count @value in @h, in the unit that its bounds have. */
void om_histogram_observe(struct om_histogram *h, uint64_t value);

/**
 * om_metrics_init() - an empty registry
 * @m:    the caller's
 * @max:  entries it can hold, 1 to OM_METRICS_MAX
 *
 * Return: OM_OK, OM_E_RANGE, or OM_E_NO_MEM; after an error only om_metrics_fini() may follow.
 */
OM_MUST enum om_err om_metrics_init(struct om_metrics *m, size_t max);

/** om_metrics_fini() - forget the entries of @m and free its table; the values stay. */
void om_metrics_fini(struct om_metrics *m);

/**
 * om_metrics_add() - register a number
 * @m:            the registry
 * @name:         [a-zA-Z_:][a-zA-Z0-9_:]*, with the unit in it: omerta_bytes_sent_total
 * @help:         one sentence, UTF-8
 * @kind:         OM_METRIC_COUNTER or OM_METRIC_GAUGE
 * @value:        read at each print
 * @label_key:    [a-zA-Z_][a-zA-Z0-9_]*, not starting in "__"; NULL: no label
 * @label_value:  UTF-8, copied; NULL exactly when @label_key is
 *
 * Return: OM_OK; OM_E_PARSE for a name, label or help that breaks the grammar; OM_E_RANGE for a
 *         text that is too long; OM_E_EXISTS for a name and label already there, or a name that is
 *         there with another kind, help or label key, or that a histogram uses for its parts;
 *         OM_E_FULL.
 */
OM_MUST enum om_err om_metrics_add(struct om_metrics *m, const char *name, const char *help,
                                   enum om_metric_kind kind, const uint64_t *value,
                                   const char *label_key, const char *label_value);

/**
 * om_metrics_add_histogram() - register a histogram
 * @m:            the registry
 * @name:         as in om_metrics_add(); _bucket, _sum and _count are appended to it
 * @help:         as there
 * @h:            initialised; read at each print
 * @label_key:    as there; "le" is taken
 * @label_value:  as there
 *
 * Return: as om_metrics_add().
 */
OM_MUST enum om_err om_metrics_add_histogram(struct om_metrics *m, const char *name,
                                             const char *help, const struct om_histogram *h,
                                             const char *label_key, const char *label_value);

/**
 * om_metrics_print() - everything, in the text exposition format
 * @m:    the registry
 * @out:  terminated when @n > 0; cut when it is too small
 * @n:    bytes of @out; 0 to learn the length only
 *
 * Return: the length of the whole text without the terminator, as snprintf() does.
 */
size_t om_metrics_print(const struct om_metrics *m, char *out, size_t n);

#endif
