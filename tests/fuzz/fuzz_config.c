/*
 * fuzz_config.c - config.json and a command line: any bytes
 *
 * The first byte says which. A refusal has a sentence and changes nothing; what was accepted is
 * printed, and read from that as the same.
 */
#include "config.h"

#include <sys/mman.h>
#include <unistd.h>

#include <omerta/text.h>

#include "config_keys.h"
#include "fuzz.h"

enum { ARGS_MAX = 80 };

static void check_refused(enum om_err e, const struct om_error *err)
{
    FUZZ_MUST(err->code == e && err->msg[0] != '\0');
    FUZZ_MUST(om_text_is_utf8(om_bytes(err->msg, strlen(err->msg))));
    for (const char *p = err->msg; *p; p++)
        FUZZ_MUST((unsigned char)*p >= ' ' && *p != 0x7f);
}

/* Every value as text is a value: what is set from it prints the same. */
static void check_accepted(const struct om_config *c)
{
    static struct om_config again;
    static char was[OM_CONFIG_VALUE], is[OM_CONFIG_VALUE];

    om_config_default(&again);
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];
        om_config_key_print(key, c, was);
        if (key->kind == OM_CONFIG_LIST)
            continue;
        FUZZ_MUST(om_config_key_set(key, &again, was, "", NULL) == OM_OK);
        FUZZ_MUST(strcmp(was, om_config_key_print(key, &again, is)) == 0);
    }
    again.bootstrap = c->bootstrap;
    FUZZ_MUST(om_config_diff(c, &again, NULL, NULL) == 0);
}

static void check(const struct om_config *c, const struct om_config *before, enum om_err e,
                  const struct om_error *err)
{
    if (e == OM_OK) {
        check_accepted(c);
        return;
    }
    check_refused(e, err);
    FUZZ_MUST(fuzz_same(c, before, sizeof *c));
}

/* A file that is nowhere, open until the target ends. */
static const char *file_of(const uint8_t *data, size_t size)
{
    static char path[32];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("config", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    FUZZ_MUST(fd >= 0 && ftruncate(fd, 0) == 0);
    FUZZ_MUST(pwrite(fd, data, size, 0) == (ssize_t)size);
    return path;
}

static enum om_err read_flags(struct om_config_flags *f, int argc, char **argv,
                              struct om_error *err)
{
    enum om_err e = OM_OK;

    for (int at = 0; e == OM_OK && at < argc;) {
        int was = at;
        e = om_config_flag(f, argc, argv, &at, err);
        FUZZ_MUST(e != OM_OK || (at > was && at <= argc));
    }
    return e;
}

/* The words of a command line, each behind a zero or newline of the input, in blocks of their
 * own. */
static int words_of(char *argv[ARGS_MAX], const uint8_t *data, size_t size)
{
    int argc = 0;

    for (size_t from = 0, i = 0; i <= size && argc < ARGS_MAX; i++)
        if (i == size || data[i] == '\0' || data[i] == '\n') {
            argv[argc++] = fuzz_text(data + from, i - from);
            from = i + 1;
        }
    return argc;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct om_config c, before;
    struct om_config_flags f = {0};
    struct om_error err = {0};
    char *argv[ARGS_MAX];
    enum om_err e;

    if (size == 0)
        return 0;
    om_config_default(&c);
    before = c;
    if (data[0] % 2 == 0) {
        e = om_config_read(&c, file_of(data + 1, size - 1), &err);
        check(&c, &before, e, &err);
        return 0;
    }
    int argc = words_of(argv, data + 1, size - 1);
    e = read_flags(&f, argc, argv, &err);
    if (e == OM_OK)
        e = om_config_apply(&c, &f, &err);
    check(&c, &before, e, &err);
    while (argc > 0)
        free(argv[--argc]);
    return 0;
}
