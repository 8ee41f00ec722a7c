/* tools.c - init, key, check. */
#include "tools.h"

#include <assert.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "config_print.h"
#include "host/entropy.h"
#include "host/router_check.h"
#include "network_file.h"
#include "secrets.h"
#include "tunnels/tunnels.h"

static enum om_exit failed(const struct om_error *err, enum om_exit code)
{
    fprintf(stderr, "omerta-meshd: %s\n", err->msg[0] ? err->msg : om_err_text(err->code));
    return code;
}

static void say_keys(const char *home, const json_t *list, bool json)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (!json)
            printf("%s %s\n", json_string_value(json_object_get(one, "name")),
                   json_string_value(json_object_get(one, "id")));
    }
    if (!json)
        return;
    json_t *j = json_pack("{s:s, s:O}", "home", home, "networks", list);
    if (json_dumpf(j, stdout, JSON_INDENT(2)) == 0)
        putchar('\n');
    json_decref(j);
}

/* One entry of the list: what the network is called, and who this home is in it. */
static bool add_key(json_t *list, const uint8_t *seed, const struct om_id *network,
                    const char *name, struct om_error *err)
{
    struct om_node_config config = {.home_seed = seed, .rng = om_entropy()};
    struct om_network_config net = {.id = *network, .open = true};
    struct om_pool *pool = om_pool_new(OM_BLOCK_BYTES, 1);
    struct om_node *n = NULL;
    char id[OM_ID_TEXT];

    om_limits_default(&config.limits);
    config.pool = pool;
    enum om_err e =
        pool ? om_node_new(&n, &config, 0, err) : om_fail(err, OM_E_NO_MEM, "no memory for a node");
    if (e == OM_OK)
        e = om_node_join(n, &net, err);
    if (e == OM_OK)
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "id",
                                                    om_id_print(om_node_id(n, network), id)));
    om_node_free(n);
    om_pool_free(pool);
    return e == OM_OK;
}

/* The id of this home in each of its networks, or in the built-in one. */
static bool list_keys(const char *home, const uint8_t *seed, json_t *list, struct om_error *err)
{
    struct om_id ids[OM_NETWORKS_MAX];
    struct om_network_config builtin;
    struct network_file f;
    unsigned count;

    if (network_file_list(home, ids, &count, err) != OM_OK)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (network_file_read(home, &ids[i], &f, err) != OM_OK)
            return false;
        bool is_added = add_key(list, seed, &ids[i], f.name, err);
        sodium_memzero(&f, sizeof f);
        if (!is_added)
            return false;
    }
    om_network_default(&builtin);
    return count > 0 || add_key(list, seed, &builtin.id, "default", err);
}

static enum om_exit print_keys(const char *home, const uint8_t *seed, bool json,
                               struct om_error *err)
{
    json_t *list = json_array();
    bool is_good = list_keys(home, seed, list, err);

    if (is_good)
        say_keys(home, list, json);
    json_decref(list);
    return is_good ? OM_EXIT_OK : OM_EXIT_FAILED;
}

static enum om_exit key(const char *home, bool json)
{
    struct om_error err = {.msg = ""};
    uint8_t *seed = secrets_read_seed(home, &err);

    if (!seed)
        return failed(&err, OM_EXIT_HOME);
    enum om_exit code = print_keys(home, seed, json, &err);
    sodium_free(seed);
    return code == OM_EXIT_OK ? code : failed(&err, code);
}

/* Nothing is left to be made. */
static bool is_complete(const char *home)
{
    static const char *const names[] = {"config.json", "identity/seed", "local.key",
                                        "ssh/id_ed25519"};
    char path[OM_PATH_MAX + 32];
    struct stat st;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", home, names[i]);
        if (lstat(path, &st) != 0)
            return false;
    }
    return true;
}

static enum om_exit init(const struct om_daemon *d, const struct tools_line *line)
{
    const char *path = d->place.home;
    struct om_error err = {.msg = ""};
    struct om_home *home;
    FILE *said;
    enum om_err e = om_home_open(&home, path, true, &err);

    if (e == OM_E_EXISTS && !line->force && is_complete(path))
        return key(path, line->json); /* a daemon has it: there is nothing to do anyway */
    if (e == OM_E_EXISTS)
        fprintf(stderr, "omerta-meshd: %s: stop it first (`omerta down`)\n", err.msg);
    if (e != OM_OK)
        return e == OM_E_EXISTS ? OM_EXIT_HOME : failed(&err, OM_EXIT_HOME);
    said = line->json ? fopen("/dev/null", "we") : stdout;
    e = said ? secrets_init(home, line->force, said, &err)
             : om_fail(&err, OM_E_STATE, "/dev/null cannot be opened");
    if (said && said != stdout)
        (void)fclose(said);
    om_home_close(home);
    return e == OM_OK ? key(path, line->json) : failed(&err, OM_EXIT_HOME);
}

/* One line of a check: what it is about, and what is wrong if anything. */
struct verdict {
    const char *check, *fix;
    struct om_error err;
    bool is_ok;
    bool is_harmless;             /* a warning when it is not in order */
    const char *what;             /* when it is; NULL: "in order" */
    char chmod[OM_PATH_MAX + 32]; /* where that mends it */
};

static void check_home(const struct om_daemon *d, struct verdict *v)
{
    struct om_home *home = NULL;
    enum om_err e = om_home_open(&home, d->place.home, false, &v->err);

    v->is_ok = e == OM_OK || e == OM_E_EXISTS; /* a daemon has it: it judged it fit */
    om_home_close(home);
}

static void check_seed(const struct om_daemon *d, struct verdict *v)
{
    uint8_t *seed = secrets_read_seed(d->place.home, &v->err);
    static const char mend[] = "chmod 600 ";
    const char *path = v->chmod + strlen(mend);
    struct stat st;

    v->is_ok = seed != NULL;
    sodium_free(seed);
    (void)snprintf(v->chmod, sizeof v->chmod, "%s%s/identity/seed", mend, d->place.home);
    if (!v->is_ok && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        v->fix = v->chmod;
}

static void check_secrets(const struct om_daemon *d, struct verdict *v)
{
    v->is_ok = secrets_check(d->place.home, &v->err) == OM_OK;
}

static void check_router(struct verdict *v)
{
    struct router_answer a;

    static_assert(sizeof v->err.msg >= ROUTER_SENTENCE, "a sentence fits");
    router_check(&a);
    v->is_ok = router_sentence(&a, v->err.msg);
    v->what = v->err.msg;
}

static const char *state_of(const struct verdict *v)
{
    return v->is_ok ? "ok" : v->is_harmless ? "warn" : "fail";
}

/* `omerta init` does not help there. */
static bool is_disk_full(const char *home)
{
    struct statvfs s;

    return statvfs(home, &s) == 0 && s.f_bavail == 0;
}

static enum om_exit check(struct om_daemon *d, bool json)
{
    struct verdict v[] = {
        {.check = "home folder", .fix = "omerta init"},
        {.check = "identity", .fix = "omerta init"},
        {.check = "secrets", .fix = "make that file its user's alone"},
        {.check = "configuration", .fix = "mend that line of the file"},
        {.check = "tunnels", .fix = "mend or remove that rule of the file"},
        {.check = "router", .fix = "switch NAT-PMP or UPnP on in the router", .is_harmless = true}};
    json_t *list = json_array();
    bool is_ok = true;

    if (is_disk_full(d->place.home))
        v[0].fix = "make room on its disk";
    check_home(d, &v[0]);
    check_seed(d, &v[1]);
    check_secrets(d, &v[2]);
    v[3].is_ok = daemon_config_load(d, &d->config, &v[3].err);
    enum om_err kept = tunnels_check(d, &v[4].err);
    v[4].is_ok = kept == OM_OK;
    v[4].is_harmless = kept == OM_E_RANGE; /* that rule waits, all else runs */
    check_router(&v[5]);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(v); i++) {
        const char *what = !v[i].is_ok ? v[i].err.msg : v[i].what ? v[i].what : "in order";
        is_ok &= v[i].is_ok || v[i].is_harmless;
        if (!json)
            printf("%-4s %s: %s\n",
                   v[i].is_ok         ? "OK"
                   : v[i].is_harmless ? "WARN"
                                      : "FAIL",
                   v[i].check, what);
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "check", v[i].check,
                                                    "state", state_of(&v[i]), "what", what, "fix",
                                                    v[i].is_ok ? NULL : v[i].fix));
    }
    if (json && json_dumpf(list, stdout, JSON_INDENT(2)) == 0)
        putchar('\n');
    json_decref(list);
    return is_ok ? OM_EXIT_OK : OM_EXIT_CONFIG;
}

enum om_exit tools_run(const struct tools_line *line, struct om_daemon *d)
{
    static const struct {
        const char *command, *word;
    } words[] = {{"key", "show"}, {"config", "keys"}};
    bool is_known = !line->word;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(words) && line->word; i++)
        is_known |=
            strcmp(words[i].command, line->command) == 0 && strcmp(words[i].word, line->word) == 0;
    if (!is_known) {
        fprintf(stderr, "omerta-meshd: %s: unknown word \"%s\" (--help lists the commands)\n",
                line->command, line->word);
        return OM_EXIT_USAGE;
    }
    if (strcmp(line->command, "config") == 0) {
        if (!line->json)
            om_config_print_keys(stdout);
        return !line->json || om_config_print_keys_json(stdout) ? OM_EXIT_OK : OM_EXIT_FAILED;
    }
    if (strcmp(line->command, "init") == 0)
        return init(d, line);
    return strcmp(line->command, "key") == 0 ? key(d->place.home, line->json)
                                             : check(d, line->json);
}
