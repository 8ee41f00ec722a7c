/* admin.c - methods that change how the daemon runs, or say what it wrote down. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/event.h>
#include <omerta/text.h>

#include "config_keys.h"
#include "control/methods.h"
#include "control/parts.h"
#include "control/why.h"
#include "ipc/nearest.h"
#include "metrics_page.h"
#include "service/owner.h"
#include "service/vms.h"
#include "trouble.h"

enum { TAIL_BYTES = 256 * 1024, TAIL_LINES = 1000 };

/* Is @word a kind of event? Of those that are not, the nearest one is noted. */
static bool is_kind(const char *word, struct om_nearest *near)
{
    static const char *const ours[] = {"approval", "cloister", "log", "message",
                                       "pong",     "record",   "vm"};
    const char *name;

    om_nearest_init(near, word);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(ours) + OM_EVENT_COUNT; i++) {
        name = i < OM_ARRAY_SIZE(ours)
                   ? ours[i]
                   : om_event_name((enum om_event_kind)(i - OM_ARRAY_SIZE(ours)));
        if (strcmp(word, name) == 0)
            return true;
        om_nearest_try(near, name);
    }
    return false;
}

json_t *control_subscribe(struct control_ask *ask, struct om_error *err)
{
    struct control_client *k = ask->client;
    json_t *kinds = json_object_get(ask->params, "kinds"), *kind;
    char shown[OM_SHOW_TEXT];
    struct om_nearest near;
    size_t i;

    json_array_foreach(kinds, i, kind)
    {
        if (is_kind(json_string_value(kind), &near))
            continue;
        (void)om_fail(err, OM_E_RANGE, "no event is called \"%s\"%s%s%s",
                      om_text_show(shown, json_string_value(kind)),
                      near.best ? ": did you mean " : "", near.best ? near.best : "",
                      near.best ? "?" : " (see omerta-ipc(7))");
        return NULL;
    }
    json_decref(k->kinds);
    k->kinds = kinds ? json_deep_copy(kinds) : NULL;
    k->wants_all = json_array_size(kinds) == 0;
    return json_pack("{s:b}", "subscribed", 1);
}

json_t *control_unsubscribe(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    json_decref(ask->client->kinds);
    ask->client->kinds = NULL;
    ask->client->wants_all = false;
    return json_pack("{s:b}", "subscribed", 0);
}

json_t *control_config_show(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    char text[OM_CONFIG_VALUE];
    json_t *values = json_object();

    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++)
        (void)json_object_set_new(
            values, om_config_keys[i].path,
            json_string(om_config_key_print(&om_config_keys[i], &ask->d->config, text)));
    return json_pack("{s:s, s:o}", "file",
                     ask->d->config_file[0] ? ask->d->config_file : "config.json of the home",
                     "config", values);
}

static void add_change(void *self, const struct om_config_key *key, const char *was, const char *is)
{
    (void)json_array_append_new(self,
                                json_pack("{s:s, s:s, s:s, s:b}", "key", key->path, "was", was,
                                          "is", is, "needs_restart", (int)key->needs_restart));
}

json_t *control_config_reload(struct control_ask *ask, struct om_error *err)
{
    json_t *changes = json_array();

    if (daemon_reload(ask->d, add_change, changes, err))
        return json_pack("{s:o}", "changed", changes);
    json_decref(changes);
    return NULL;
}

json_t *control_log_level(struct control_ask *ask, struct om_error *err)
{
    const char *text = json_string_value(json_object_get(ask->params, "level"));
    enum om_level level = ask->d->log.level;

    if (text && om_level_parse(&level, text, err) != OM_OK)
        return NULL;
    ask->d->log.level = level;
    return json_pack("{s:s}", "level", om_level_name(level));
}

/* The end of a file, whole lines; NULL and @err when it cannot be read. */
static char *read_end(const char *path, size_t *n, struct om_error *err)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(TAIL_BYTES + 1) : NULL;

    *n = 0;
    if (text && (fseek(f, -(long)TAIL_BYTES, SEEK_END) == 0 || fseek(f, 0, SEEK_SET) == 0))
        *n = fread(text, 1, TAIL_BYTES, f);
    else
        (void)om_fail(err, OM_E_MISSING, "%.150s: %s", path, strerror(errno));
    if (f)
        (void)fclose(f);
    return text;
}

/* Whoever starts the daemon without a service manager has it write there. */
static bool logs_into_home(struct om_daemon *d, char *path, size_t size)
{
    struct stat named, used;

    return om_home_join(d->home, path, size, "logs/meshd.log") && stat(path, &named) == 0 &&
           fstat(STDERR_FILENO, &used) == 0 && named.st_dev == used.st_dev &&
           named.st_ino == used.st_ino;
}

/* Events are kept in any case; the log only where it goes to a file. */
json_t *control_log_tail(struct control_ask *ask, struct om_error *err)
{
    const json_t *wanted = json_object_get(ask->params, "lines");
    json_int_t lines = wanted ? json_integer_value(wanted) : 50;
    struct om_daemon *d = ask->d;
    char path[OM_PATH_MAX];
    size_t n;

    if (d->config.log_file[0])
        (void)snprintf(path, sizeof path, "%s", d->config.log_file);
    else if (!logs_into_home(d, path, sizeof path) &&
             !om_home_join(d->home, path, sizeof path, "logs/events.jsonl"))
        return NULL;
    char *text = read_end(path, &n, err);
    if (!text)
        return NULL;
    if (lines < 1 || lines > TAIL_LINES)
        lines = TAIL_LINES;
    size_t from = n > 0 && text[n - 1] == '\n' ? n - 1 : n;
    for (; from > 0; from--)
        if (text[from - 1] == '\n' && --lines == 0)
            break;
    json_t *list = json_array();
    for (size_t at = from; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t len = end ? (size_t)(end - text) - at : n - at;
        (void)json_array_append_new(list, control_text(text + at, len));
        at += len + 1;
    }
    free(text);
    return json_pack("{s:s, s:o}", "file", path, "lines", list);
}

json_t *control_metrics(struct control_ask *ask, struct om_error *err)
{
    char *page = metrics_page(ask->d);

    if (!page) {
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the metrics");
        return NULL;
    }
    json_t *j = json_pack("{s:s}", "text", page);
    free(page);
    return j;
}

json_t *control_stop(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    daemon_stop(ask->d, OM_EXIT_OK);
    return json_pack("{s:b}", "stopping", 1);
}

static void add_check(json_t *list, const char *check, bool is_ok, const char *what,
                      const char *fix)
{
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "check", check, "state",
                                                is_ok ? "ok" : "warn", "what", what, "fix",
                                                is_ok ? "" : fix));
}

/* What machines run with here, and why. */
static void add_vms(json_t *list, struct om_daemon *d)
{
    const char *trouble = owner_trouble(d->vms);
    struct om_error err = {.msg = ""};
    json_t *o = vms_provide(d->vms, NULL, &err);
    const char *engine = json_string_value(json_object_get(o, "engine"));
    const char *reason = json_string_value(json_object_get(o, "reason"));
    bool is_unknown = engine && strcmp(engine, "unknown") == 0;
    bool has_failed = vms_has_failed_kvm(d->vms);

    if (engine && reason)
        add_check(list, "virtual-machines", strcmp(engine, "none") != 0 && !has_failed,
                  is_unknown ? "QEMU is there; it is tried when machines are provided" : reason,
                  has_failed ? "omerta provide on, to try KVM again, or with --accel tcg, never to"
                             : "sudo apt install qemu-system-x86 qemu-utils, then start the daemon"
                               " again");
    if (*trouble)
        add_check(list, "filters", false, trouble,
                  "mend that file in the home, then: omerta filter list");
    const char *hint = json_string_value(json_object_get(o, "hint"));
    if (hint && *hint && json_is_true(json_object_get(o, "on")))
        add_check(list, "unit", false, hint, "see omerta-meshd-provide.conf");
    json_decref(o);
}

/* Of those that are silent, and why they may be. */
static void add_networks(json_t *list, const struct om_daemon *d)
{
    char text[CONTROL_WHY_TEXT];

    for (unsigned i = 0; i < d->network_count; i++)
        if (trouble_text(&d->networks[i], text, sizeof text))
            add_check(list, "network", false, text, trouble_mend(&d->networks[i]));
}

/* Only of a daemon that audits itself. */
static void add_audit(json_t *list, const struct om_daemon *d)
{
    struct om_node_info info;

    if (!d->config.audit_encryption)
        return;
    om_node_info(daemon_node(d), &info);
    add_check(list, "audit", info.audit_refused == 0,
              info.audit_refused ? "datagrams were held back that were not sealed as they must be"
                                 : "every datagram was sealed as it must be",
              "this program is not as it was published: build or install it anew");
}

json_t *control_doctor(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    struct om_daemon *d = ask->d;
    struct om_udp_info u;
    json_t *list = json_array();
    char text[CONTROL_BLOCKED_TEXT];

    om_udp_info(om_pump_udp(d->pump), &u);
    (void)snprintf(text, sizeof text, "receive buffer %u KiB", u.rcvbuf / 1024);
    add_check(list, "udp-buffer", u.rcvbuf >= 1 << 20, text,
              "sudo sysctl -w net.core.rmem_max=8388608 net.core.wmem_max=8388608");
    add_check(list, "udp-offload", u.gso && u.gro, u.gso && u.gro ? "GSO and GRO" : "missing",
              "a kernel of 5.0 or later");
    add_check(list, "udp-loss", u.kernel_drops == 0,
              u.kernel_drops ? "the kernel dropped datagrams for want of buffer space"
                             : "none dropped",
              "a greater udp.buffer_bytes");
    add_check(list, "ipv6", u.has_v6, u.has_v6 ? "there" : "this machine has none",
              "sysctl net.ipv6.conf.all.disable_ipv6");
    add_check(list, "route",
              om_netwatch_has_default(d->netwatch, false) ||
                  om_netwatch_has_default(d->netwatch, true),
              "default route", "connect this machine to a network");
    const char *problem = control_blocked_text(d, text);
    add_check(list, "udp", !problem, problem ? problem : "not known to be blocked",
              "let UDP out through the firewall; see omerta netcheck");
    add_audit(list, d);
    add_networks(list, d);
    add_vms(list, d);
    return json_pack("{s:o}", "checks", list);
}
