/* secrets.c - made once, moved aside when somebody insists. */
#include "secrets.h"

#include <errno.h>
#include <sodium.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "host/secret_file.h"

static bool folder_of(struct om_home *home, const char *name, char out[OM_HOME_PATH_MAX],
                      struct om_error *err)
{
    if (om_home_sub(home, name, err) != OM_OK)
        return false;
    if (om_home_join(home, out, OM_HOME_PATH_MAX, name))
        return true;
    (void)om_fail(err, OM_E_RANGE, "path of the home is too long");
    return false;
}

uint8_t *secrets_seed(struct om_home *home, struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX];
    uint8_t *seed = sodium_malloc(OM_SEED_BYTES);

    if (!seed) {
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the seed");
        return NULL;
    }
    enum om_err e = folder_of(home, "identity", folder, err)
                        ? om_secret_read(folder, "seed", seed, OM_SEED_BYTES, NULL, err)
                        : OM_E_STATE;
    if (e == OM_E_MISSING) {
        randombytes_buf(seed, OM_SEED_BYTES);
        e = om_secret_write(folder, "seed", seed, OM_SEED_BYTES, false, err);
    }
    if (e == OM_OK)
        return seed;
    sodium_free(seed);
    return NULL;
}

uint8_t *secrets_read_seed(const char *home, struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX];
    uint8_t *seed = sodium_malloc(OM_SEED_BYTES);
    int n = snprintf(folder, sizeof folder, "%s/identity", home);

    if (!seed || n < 0 || (size_t)n >= sizeof folder)
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the seed");
    else if (om_secret_read(folder, "seed", seed, OM_SEED_BYTES, NULL, err) == OM_OK)
        return seed;
    sodium_free(seed);
    return NULL;
}

enum om_err secrets_check(const char *home, struct om_error *err)
{
    static const char *const names[] = {"identity/seed", "local.key", "ssh/id_ed25519"};
    char path[OM_HOME_PATH_MAX];
    struct stat st;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(names); i++) {
        int n = snprintf(path, sizeof path, "%s/%s", home, names[i]);
        if (n < 0 || (size_t)n >= sizeof path)
            return om_fail(err, OM_E_RANGE, "path of the home is too long");
        if (lstat(path, &st) != 0)
            continue;
        if (!S_ISREG(st.st_mode))
            return om_fail(err, OM_E_STATE, "want a regular file: %.140s", path);
        if (st.st_uid != geteuid())
            return om_fail(err, OM_E_STATE, "belongs to user %u: %.140s", (unsigned)st.st_uid,
                           path);
        if ((st.st_mode & 077) != 0)
            return om_fail(err, OM_E_STATE, "others may open it (mode %04o): chmod 600 %.140s",
                           (unsigned)st.st_mode & 07777, path);
    }
    return OM_OK;
}

/* Where a thing of the home was moved to; an empty suffix: it was not. */
struct aside {
    const char *name;
    char suffix[64];
};

/* Moves @a->name of the home aside, when it is there. */
static enum om_err set_aside(struct om_home *home, struct aside *a, const char *stamp, FILE *said,
                             struct om_error *err)
{
    char from[OM_HOME_PATH_MAX], to[OM_HOME_PATH_MAX + 64], suffix[sizeof a->suffix];
    struct stat st;

    if (!om_home_join(home, from, sizeof from, a->name))
        return om_fail(err, OM_E_RANGE, "path of the home is too long");
    (void)snprintf(suffix, sizeof suffix, ".backup-%s", stamp);
    (void)snprintf(to, sizeof to, "%s%s", from, suffix);
    /* Twice within a second: an older backup is never written over. */
    for (unsigned i = 2; lstat(to, &st) == 0; i++) {
        (void)snprintf(suffix, sizeof suffix, ".backup-%s-%u", stamp, i);
        (void)snprintf(to, sizeof to, "%s%s", from, suffix);
    }
    if (rename(from, to) == 0) {
        memcpy(a->suffix, suffix, sizeof suffix);
        fprintf(said, "kept  %s\n", to);
        return OM_OK;
    }
    return errno == ENOENT
               ? OM_OK
               : om_fail(err, OM_E_STATE, "%.120s: cannot be set aside: %s", from, strerror(errno));
}

/* In the place of whatever was made there since. */
static void put_back(struct om_home *home, const struct aside *a, FILE *said)
{
    char to[OM_HOME_PATH_MAX], from[OM_HOME_PATH_MAX + 64];

    if (!*a->suffix || !om_home_join(home, to, sizeof to, a->name))
        return;
    (void)snprintf(from, sizeof from, "%s%s", to, a->suffix);
    if (rename(from, to) == 0)
        fprintf(said, "back  %s\n", to);
}

static bool is_there(struct om_home *home, const char *name, char path[OM_HOME_PATH_MAX])
{
    struct stat st;

    return om_home_join(home, path, OM_HOME_PATH_MAX, name) && lstat(path, &st) == 0;
}

static enum om_err make_local_key(struct om_home *home, struct om_error *err)
{
    uint8_t key[OM_LOCAL_KEY_BYTES];
    char hex[2 * OM_LOCAL_KEY_BYTES + 2];

    randombytes_buf(key, sizeof key);
    (void)sodium_bin2hex(hex, sizeof hex, key, sizeof key);
    hex[sizeof hex - 2] = '\n';
    enum om_err e = om_secret_write(om_home_path(home), "local.key", hex,
                                    2 * OM_LOCAL_KEY_BYTES + 1, false, err);
    sodium_memzero(key, sizeof key);
    sodium_memzero(hex, sizeof hex);
    return e;
}

static enum om_err make_ssh_key(struct om_home *home, struct om_error *err)
{
    char folder[OM_HOME_PATH_MAX], file[OM_HOME_PATH_MAX];
    char name[] = "ssh-keygen", quiet[] = "-q", type[] = "-t", kind[] = "ed25519", pass[] = "-N";
    char empty[] = "", comment[] = "-C", text[] = "omerta", at[] = "-f";
    char *argv[] = {name, quiet, type, kind, pass, empty, comment, text, at, file, NULL};
    int status = 0;
    pid_t pid;

    if (!folder_of(home, "ssh", folder, err))
        return OM_E_STATE;
    if (!om_home_join(home, file, sizeof file, "ssh/id_ed25519"))
        return om_fail(err, OM_E_RANGE, "path of the home is too long");
    int e = posix_spawnp(&pid, name, NULL, NULL, argv, environ);
    if (e != 0)
        return om_fail(err, OM_E_UNSUPPORTED,
                       "ssh-keygen cannot be run: %s (apt install openssh-client)", strerror(e));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OM_OK;
    return om_fail(err, OM_E_STATE, "ssh-keygen made no key at %.120s", file);
}

static enum om_err make_seed(struct om_home *home, struct om_error *err)
{
    uint8_t *seed = secrets_seed(home, err);

    sodium_free(seed);
    return seed ? OM_OK : OM_E_STATE;
}

static enum om_err make_config(struct om_home *home, struct om_error *err)
{
    char path[OM_HOME_PATH_MAX];

    return om_home_join(home, path, sizeof path, "config.json")
               ? om_config_write_default(path, err)
               : om_fail(err, OM_E_RANGE, "path of the home is too long");
}

enum om_err secrets_init(struct om_home *home, bool force, FILE *said, struct om_error *err)
{
    static const struct {
        const char *name;
        enum om_err (*make)(struct om_home *home, struct om_error *err); /* NULL: with the next */
    } things[] = {{"config.json", make_config},
                  {"identity/seed", make_seed},
                  {"local.key", make_local_key},
                  {"ssh/id_ed25519.pub", NULL},
                  {"ssh/id_ed25519", make_ssh_key}};
    struct aside asides[OM_ARRAY_SIZE(things)] = {{.name = NULL}};
    char path[OM_HOME_PATH_MAX], stamp[32];
    enum om_err e = OM_OK;
    time_t now = time(NULL);
    struct tm tm;

    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(things) && e == OM_OK; i++) {
        asides[i].name = things[i].name;
        if (force)
            e = set_aside(home, &asides[i], stamp, said, err);
        bool was_there = is_there(home, things[i].name, path);
        if (e != OM_OK || !things[i].make)
            continue;
        if (!was_there)
            e = things[i].make(home, err);
        if (e == OM_OK)
            fprintf(said, "%s %s\n", was_there ? "found" : "made ", path);
    }
    /* Half a new home would be one that nobody knows: a new identity beside an old key. */
    for (unsigned i = 0; i < OM_ARRAY_SIZE(things) && e != OM_OK; i++)
        put_back(home, &asides[i], said);
    return e;
}
