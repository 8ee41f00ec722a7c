/*
 * matrix.c - omerta-matrix: which pairs of NATs real nodes get through
 *
 * What:  omerta-matrix [--seeds N] [--from N] [--jobs N] [--pair A B] [-v] [--kinds]
 * Why:   a person reads tables; a test reads the exit status: 0 all is as matrix.h expects, 1 it is
 *        not, 2 the command line is wrong.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <omerta/text.h>

#include "matrix.h"

enum { STATUS_HELD = 0, STATUS_FAILED = 1, STATUS_WRONG = 2, JOBS_MAX = 64 };

static const char usage[] =
    "usage: omerta-matrix [--seeds N] [--from N] [--jobs N] [--pair A B] [-v] [--trace] "
    "[--kinds]\n"
    "  --seeds N   worlds for each pair of kinds (3)\n"
    "  --from N    the first seed (1)\n"
    "  --jobs N    processes (1)\n"
    "  --pair A B  only pairs of these kinds; * is any\n"
    "  -v          a line for each world\n"
    "  --trace     every event, and what the nodes log\n"
    "  --kinds     only names the kinds, each with its box in words of natkind.h, \"-\" for none,\n"
    "              and behind \"/\" the one around it\n";

struct options {
    uint64_t seeds, from, jobs;
    const char *a, *b;
    bool is_verbose, has_trace, is_asking;
};

/* What the lab builds of the same kinds. */
static void print_kinds(void)
{
    const struct matrix_kind *k;

    for (unsigned i = 0; (k = matrix_kind_at(i)) != NULL; i++) {
        printf("%s %s", k->name, k->box ? k->box : "-");
        if (k->word)
            printf(" %s", k->word);
        if (k->outer)
            printf(" / %s", k->outer);
        if (k->around)
            printf(" %s", k->around);
        printf("\n");
    }
}

static bool is_named(const struct matrix_kind *k, const char *name)
{
    return strcmp(name, "*") == 0 || strcmp(k->name, name) == 0;
}

static bool is_chosen(const struct options *o, const struct matrix_pair *p)
{
    return (is_named(p->a, o->a) && is_named(p->b, o->b)) ||
           (is_named(p->a, o->b) && is_named(p->b, o->a));
}

static void print_run(const struct matrix_pair *p, uint64_t seed, const struct matrix_run *r)
{
    char first[OM_DURATION_TEXT], direct[OM_DURATION_TEXT], span[OM_DURATION_TEXT];

    printf("%s %s %s seed %u: %s, first data %s, direct %s, %u datagrams in %s, %u a second, %u of "
           "1,000 lost %s\n",
           p->a->name, p->b->name, matrix_near_name(p->near), (unsigned)seed,
           r->is_connected ? "connected" : "not connected",
           r->first == OM_NEVER ? "never" : om_duration_print(r->first, first, sizeof first),
           r->direct == OM_NEVER ? "never" : om_duration_print(r->direct, direct, sizeof direct),
           r->attempt, om_duration_print(r->span, span, sizeof span), r->per_s, r->lost, r->broken);
    (void)fflush(stdout);
}

/* Every @o->jobs-th world, from the @job-th on. */
static void run_share(const struct options *o, unsigned job, const struct matrix_pair *pairs,
                      unsigned count, struct matrix_run *runs)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < count; i++)
        for (uint64_t k = 0; k < o->seeds; k++) {
            struct matrix_run *r = &runs[i * MATRIX_SEEDS_MAX + k];
            if (!is_chosen(o, &pairs[i]) || number++ % o->jobs != job)
                continue;
            matrix_meet(&pairs[i], o->from + k, o->has_trace ? stdout : NULL, r);
            if (o->is_verbose)
                print_run(&pairs[i], o->from + k, r);
        }
}

/* True when every share was run to its end. */
static bool run_all(const struct options *o, const struct matrix_pair *pairs, unsigned count,
                    struct matrix_run *runs)
{
    bool is_good = true;
    int status;

    (void)fflush(stdout);
    for (unsigned i = 1; i < o->jobs; i++) {
        pid_t child = fork();
        if (child == 0) {
            run_share(o, i, pairs, count, runs);
            (void)fflush(stdout);
            _exit(STATUS_HELD);
        }
        is_good &= child > 0;
    }
    run_share(o, 0, pairs, count, runs);
    while (wait(&status) > 0)
        is_good &= WIFEXITED(status) && WEXITSTATUS(status) == STATUS_HELD;
    return is_good;
}

/* Is @at the option @name, with a number behind it? */
static bool read_count(char *const *at, const char *name, uint64_t most, uint64_t *out)
{
    return strcmp(at[0], name) == 0 && at[1] && om_u64_parse(out, at[1], most, NULL) == OM_OK &&
           *out > 0;
}

static bool read_options(struct options *o, char **argv)
{
    for (char **at = argv + 1; *at; at++) {
        if (strcmp(*at, "-v") == 0) {
            o->is_verbose = true;
        } else if (strcmp(*at, "--trace") == 0) {
            o->has_trace = true;
        } else if (strcmp(*at, "--kinds") == 0) {
            o->is_asking = true;
        } else if (strcmp(*at, "--pair") == 0 && at[1] && at[2]) {
            o->a = *++at;
            o->b = *++at;
        } else if (read_count(at, "--seeds", MATRIX_SEEDS_MAX, &o->seeds) ||
                   read_count(at, "--from", UINT32_MAX, &o->from) ||
                   read_count(at, "--jobs", JOBS_MAX, &o->jobs)) {
            at++;
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {.seeds = 3, .from = 1, .jobs = 1, .a = "*", .b = "*"};
    struct matrix_pair pairs[MATRIX_PAIRS_MAX];
    size_t bytes = sizeof(struct matrix_run) * MATRIX_PAIRS_MAX * MATRIX_SEEDS_MAX;
    unsigned count = matrix_pairs(pairs);

    if (argc < 1 || !read_options(&o, argv)) {
        (void)fputs(usage, stderr);
        return STATUS_WRONG;
    }
    if (o.is_asking) {
        print_kinds();
        return STATUS_HELD;
    }
    struct matrix_run *runs =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    OM_BUG_IF(runs == MAP_FAILED);
    if (!run_all(&o, pairs, count, runs)) {
        printf("a process did not come to its end\n");
        return STATUS_FAILED;
    }
    matrix_print(pairs, count, runs);
    return matrix_judge(pairs, count, runs) ? STATUS_HELD : STATUS_FAILED;
}
