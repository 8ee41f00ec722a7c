/* cmd_doctor.c - doctor (and check-deps): home, port and daemon, then the machine. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "commands.h"

enum { PORT_DEFAULT = 18002 };

static void check_modes(struct om_cli *cli, json_t *list)
{
    const char *home = cli->place.home;
    char fix[OM_PATH_MAX + 32];
    struct stat s;

    if (stat(home, &s)) {
        om_check_add(list, "home", errno == ENOENT ? OM_CHECK_WARN : OM_CHECK_FAIL, "omerta init",
                     "%s: %s", home, strerror(errno));
        return;
    }
    snprintf(fix, sizeof fix, "chmod 700 %s", home);
    if (s.st_uid != geteuid())
        om_check_add(list, "home", OM_CHECK_FAIL, "sudo chown -R $USER HOME",
                     "%s belongs to another user", home);
    else if (s.st_mode & 077)
        om_check_add(list, "home", OM_CHECK_FAIL, fix, "%s is open to others (mode %o)", home,
                     (unsigned)(s.st_mode & 0777));
    else if (access(home, W_OK))
        om_check_add(list, "home", OM_CHECK_FAIL, fix, "%s cannot be written", home);
    else
        om_check_add(list, "home", OM_CHECK_OK, NULL, "%s, for this user only", home);
}

/* The port of the config file; the daemon's own default without one. */
static unsigned port_of(const struct om_cli *cli)
{
    char path[OM_PATH_MAX + 16];
    json_int_t port = 0;
    json_t *config, *at;

    snprintf(path, sizeof path, "%s/config.json", cli->place.home);
    config = json_load_file(path, 0, NULL);
    at = json_object_get(config, "port");
    if (!at)
        at = json_object_get(json_object_get(config, "mesh"), "port");
    port = json_integer_value(at);
    json_decref(config);
    return port > 0 && port < 65536 ? (unsigned)port : PORT_DEFAULT;
}

/* @port: 0 when no daemon told its own. */
static void check_port(struct om_cli *cli, json_t *list, unsigned port, bool daemon_runs)
{
    if (port == 0)
        port = port_of(cli);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_free = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;

    if (fd >= 0)
        close(fd);
    if (is_free)
        om_check_add(list, "port", OM_CHECK_OK, NULL, "UDP port %u is free", port);
    else if (daemon_runs)
        om_check_add(list, "port", OM_CHECK_OK, NULL, "UDP port %u is held, and the daemon runs",
                     port);
    else
        om_check_add(list, "port", OM_CHECK_FAIL, "ss -ulpn, then end that program or change port",
                     "UDP port %u is in use by another program", port);
}

/* What only the daemon can tell: of UDP, and of virtual machines. */
static void check_vms(struct om_ask *ask, json_t *list)
{
    struct om_error err;
    json_t *result = NULL, *one;
    size_t i;

    if (om_ask_call(ask, "doctor.daemon", NULL, OM_SEC(3), &result, &err))
        return;
    json_array_foreach(json_object_get(result, "checks"), i, one)
    {
        const char *check = json_string_value(json_object_get(one, "check"));
        const char *state = json_string_value(json_object_get(one, "state"));
        const char *what = json_string_value(json_object_get(one, "what"));
        const char *fix = json_string_value(json_object_get(one, "fix"));
        bool is_ours = check && (strcmp(check, "virtual-machines") == 0 ||
                                 strcmp(check, "udp") == 0 || strcmp(check, "filters") == 0 ||
                                 strcmp(check, "unit") == 0 || strcmp(check, "network") == 0);
        bool is_ok = state && strcmp(state, "ok") == 0;
        if (is_ours && what)
            om_check_add(list, check, is_ok ? OM_CHECK_OK : OM_CHECK_WARN, is_ok ? NULL : fix, "%s",
                         what);
    }
    json_decref(result);
}

void om_check_home(struct om_cli *cli, json_t *list)
{
    struct om_ask *ask = NULL;
    json_t *status = NULL;
    json_int_t port;
    struct om_error err;
    enum om_exit e = om_ask_open(&ask, cli->place.control, &err);

    check_modes(cli, list);
    if (!e)
        e = om_ask_call(ask, "status", NULL, OM_SEC(3), &status, &err);
    /* What it was started with may not be what the file says. */
    port = json_integer_value(json_object_get(json_object_get(status, "udp"), "port"));
    check_port(cli, list, port > 0 && port < 65536 ? (unsigned)port : 0, e != OM_EXIT_NO_DAEMON);
    if (e == OM_EXIT_NO_DAEMON)
        om_check_add(list, "daemon", OM_CHECK_WARN, "omerta up", "%s", err.msg);
    else if (e)
        om_check_add(list, "daemon", OM_CHECK_FAIL, "omerta log", "%s", err.msg);
    else
        om_check_add(list, "daemon", OM_CHECK_OK, NULL, "it answers");
    if (!e)
        check_vms(ask, list);
    json_decref(status);
    om_ask_close(ask);
}

/* What needs the core is checked by the daemon's program: {check, state, what, fix} as here. */
static void check_core(struct om_cli *cli, json_t *list)
{
    const char *argv[] = {NULL, "check", "--json", "--home", cli->place.home, NULL};
    char program[OM_PATH_MAX], *text;
    json_t *more;

    if (!om_child_find("omerta-meshd", program)) {
        om_check_add(list, "omerta-meshd", OM_CHECK_FAIL, "install omerta-meshd beside omerta",
                     "neither beside omerta nor in PATH");
        return;
    }
    argv[0] = program;
    text = malloc(OM_ASK_FRAME_MAX);
    if (!text)
        return;
    om_child_read(argv, text, OM_ASK_FRAME_MAX);
    more = json_loads(text, 0, NULL);
    if (json_is_array(more))
        json_array_extend(list, more);
    else
        om_check_add(list, "core", OM_CHECK_WARN, "omerta-meshd check",
                     "omerta-meshd check gave no list");
    json_decref(more);
    free(text);
}

enum om_exit om_cmd_doctor(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 0);
    json_t *list;

    if (e)
        return e;
    list = json_array();
    om_out_progress(&cli->out, "checking");
    om_check_home(cli, list);
    om_check_machine(list);
    check_core(cli, list);
    if (cli->out.json)
        om_out_json(&cli->out, list);
    else
        om_check_show(&cli->out, list);
    e = om_check_failed(list) ? OM_EXIT_FAILED : OM_EXIT_OK;
    json_decref(list);
    return e;
}
