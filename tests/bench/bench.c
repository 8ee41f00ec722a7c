/* bench.c - timing and reports. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 150, ROUND_NS = 1500000 }; /* many short rounds: the best one met no noise */

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_once(const struct bench *b, unsigned long n)
{
    double start = now_ns();

    b->fn(b->arg, n);
    return now_ns() - start;
}

static unsigned long calibrate(const struct bench *b)
{
    unsigned long n = 1;

    while (time_once(b, n) * 4 < ROUND_NS && n < 1ul << 30)
        n *= 2;
    return n * 2;
}

void bench_measure(struct bench *b, unsigned count)
{
    unsigned long n[16];

    if (count > sizeof n / sizeof n[0])
        abort();
    for (unsigned i = 0; i < count; i++) {
        n[i] = calibrate(&b[i]);
        b[i].ns = 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < count; i++) {
            double ns = time_once(&b[i], n[i]) / (double)n[i];
            if (b[i].ns == 0 || ns < b[i].ns)
                b[i].ns = ns;
        }
    }
}

void bench_open(struct bench_report *r, const char *json_path)
{
    *r = (struct bench_report){0};
    if (json_path && strcmp(json_path, "-") == 0)
        r->json = stdout;
    else if (json_path)
        r->json = fopen(json_path, "w");
    if (json_path && !r->json) {
        perror(json_path);
        exit(1);
    }
    if (r->json)
        (void)fputs("{\"results\": [", r->json);
    if (r->json != stdout)
        printf("%-34s %-30s %12s %11s %9s %8s\n", "group", "name", "ns", "per s", "GB/s", "ratio");
}

void bench_row(struct bench_report *r, const char *group, const char *name, double ns, size_t bytes,
               double ratio)
{
    double gbps = bytes ? (double)bytes / ns : 0;

    if (r->json)
        fprintf(r->json,
                "%s\n  {\"group\": \"%s\", \"name\": \"%s\", \"ns\": %.1f, \"per_s\": %.0f, "
                "\"bytes\": %zu, \"gb_per_s\": %.3f, \"ratio\": %.3f}",
                r->rows++ ? "," : "", group, name, ns, 1e9 / ns, bytes, gbps, ratio);
    if (r->json == stdout)
        return;
    printf("%-34s %-30s %12.1f %11.0f", group, name, ns, 1e9 / ns);
    if (bytes)
        printf(" %9.2f", gbps);
    else
        printf(" %9s", "");
    if (ratio > 0)
        printf(" %8.3f", ratio);
    putchar('\n');
}

void bench_memory_row(struct bench_report *r, const char *group, const char *name, double bytes)
{
    if (r->json)
        fprintf(r->json, "%s\n  {\"group\": \"%s\", \"name\": \"%s\", \"memory_bytes\": %.0f}",
                r->rows++ ? "," : "", group, name, bytes);
    if (r->json != stdout)
        printf("%-34s %-30s %12.0f bytes\n", group, name, bytes);
}

void bench_close(struct bench_report *r)
{
    if (!r->json)
        return;
    (void)fputs("\n]}\n", r->json);
    int failed = ferror(r->json);
    if (r->json != stdout)
        failed |= fclose(r->json);
    if (failed) {
        perror("the figures");
        exit(1);
    }
}
