/*
 * main.c - omerta-sim: run scenarios
 *
 * What:  omerta-sim [-v] [--seed N] [--hash] FILE.scn ...
 * Why:   a person reads what happened; a test reads the exit status: 0 all checks held, 1 one did
 *        not, 2 a text or the command line is wrong, 77 everything was skipped.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <omerta/text.h>

#include "play.h"

enum { STATUS_HELD = 0, STATUS_FAILED = 1, STATUS_WRONG = 2, STATUS_SKIPPED = 77 };

static const char usage[] = "usage: omerta-sim [-v] [--seed N] [--hash] FILE.scn ...\n"
                            "  -v        every event and what the nodes log\n"
                            "  --seed N  in place of the seed in the text\n"
                            "  --hash    only the hash of the trace, and the file\n";

static int64_t cpu_ns(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return ((int64_t)r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000;
}

/* The whole file, terminated by nothing; NULL after saying why. */
static uint8_t *read_file(const char *name, size_t *n)
{
    FILE *f = fopen(name, "rb");
    uint8_t *text;

    if (!f) {
        fprintf(stderr, "omerta-sim: %s: %s\n", name, strerror(errno));
        return NULL;
    }
    text = sim_alloc(SIM_SCRIPT_MAX + 1);
    *n = fread(text, 1, SIM_SCRIPT_MAX + 1, f);
    (void)fclose(f);
    return text;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int run_file(const char *name, struct sim_play_options *o, bool hash_only)
{
    struct sim_script *s;
    struct sim_result r;
    struct om_error err;
    size_t n;
    uint8_t *text = read_file(name, &n);

    if (!text)
        return STATUS_WRONG;
    enum om_err e = sim_script_parse(&s, base_name(name), om_bytes(text, n), &err);
    free(text);
    if (e != OM_OK) {
        fprintf(stderr, "omerta-sim: %s\n", err.msg);
        return STATUS_WRONG;
    }
    o->out = hash_only ? NULL : stdout;
    bool held = sim_play(s, o, &r);
    sim_script_free(s);
    if (r.is_skipped) {
        printf("  skipped: this machine has no AES instructions\n");
        return STATUS_SKIPPED;
    }
    if (hash_only)
        printf("%s  %s\n", r.hash, name);
    return held ? STATUS_HELD : STATUS_FAILED;
}

/* The worst of two: wrong text over failure over success over skipped. */
static int worse(int a, int b)
{
    if (a == STATUS_WRONG || b == STATUS_WRONG)
        return STATUS_WRONG;
    if (a == STATUS_FAILED || b == STATUS_FAILED)
        return STATUS_FAILED;
    return a == STATUS_SKIPPED ? b : a;
}

int main(int argc, char **argv)
{
    struct sim_play_options o = {.cpu_ns = cpu_ns};
    bool hash_only = false;
    int status = STATUS_SKIPPED, at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "-v") == 0) {
            o.is_verbose = true;
        } else if (strcmp(argv[at], "--hash") == 0) {
            hash_only = true;
        } else if (strcmp(argv[at], "--seed") == 0 && at + 1 < argc &&
                   om_u64_parse(&o.seed, argv[at + 1], UINT64_MAX, NULL) == OM_OK) {
            o.has_seed = true;
            at++;
        } else {
            (void)fputs(usage, stderr);
            return STATUS_WRONG;
        }
    }
    if (at == argc) {
        (void)fputs(usage, stderr);
        return STATUS_WRONG;
    }
    for (; at < argc; at++)
        status = worse(status, run_file(argv[at], &o, hash_only));
    return status;
}
