/*
 * bench.h - measuring two things in the same run, so that their ratio means something
 *
 * What:  a bench is a function that repeats its work n times; bench_run() finds a good n and takes
 *        the best of several rounds, and bench_versus() alternates two benches round by round, so
 *        that both meet the same noise.
 * Why:   absolute figures of a shared machine drift by 20 %; a ratio of neighbours does not.
 */
#ifndef OM_BENCH_H
#define OM_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef void (*bench_fn)(void *arg, unsigned long n);

struct bench {
    const char *name;
    bench_fn fn;
    void *arg;
    double ns; /* per repetition, best round */
};

/* One result line: to the table on stdout, and to the JSON file. */
struct bench_report {
    FILE *json; /* NULL: table only */
    unsigned rows;
};

/** bench_open() - begin @r; figures go to @json_path too, "-" is stdout, NULL none. */
void bench_open(struct bench_report *r, const char *json_path);

/** bench_close() - end @r and its file. */
void bench_close(struct bench_report *r);

/**
 * bench_row() - one result
 * @r:      the report
 * @group:  what is compared
 * @name:   who did it
 * @ns:     per repetition
 * @bytes:  moved per repetition, 0 when it moves none
 * @ratio:  to the rival of the group, 0 for none
 */
void bench_row(struct bench_report *r, const char *group, const char *name, double ns, size_t bytes,
               double ratio);

/** bench_memory_row() - in @r, @name of @group takes @bytes of memory. */
void bench_memory_row(struct bench_report *r, const char *group, const char *name, double bytes);

/** bench_measure() - measure the @count benches at @b side by side into their ns. */
void bench_measure(struct bench *b, unsigned count);

#endif
