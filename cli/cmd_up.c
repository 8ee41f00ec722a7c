/* cmd_up.c - start and stop the daemon of this user. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "commands.h"
#include "logfile.h"
#include "purge.h"

#define START_PATIENCE OM_SEC(10)
#define LOOK_AGAIN     OM_MS(50)

enum { UNIT_ROOM = 256 };

static const char unit_name[] = "omerta-meshd.service";

/* The unit serves the default home; another home has a daemon of its own. */
static bool unit_is_there(struct om_cli *cli, char program[static OM_PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *argv[] = {program, "--user", "cat", unit_name, NULL};
    char path[OM_PATH_MAX];
    struct stat s;

    if (!runtime || strncmp(cli->place.control, cli->place.home, strlen(cli->place.home)) == 0)
        return false;
    snprintf(path, sizeof path, "%s/systemd/private", runtime);
    return stat(path, &s) == 0 && om_child_in_path("systemctl", program) &&
           om_child_run(argv, true) == 0;
}

static bool answers(struct om_cli *cli, json_t **version)
{
    struct om_ask *ask;
    bool good;

    *version = NULL;
    if (om_ask_open(&ask, cli->place.control, NULL))
        return false;
    good = om_ask_call(ask, "version", NULL, OM_SEC(2), version, NULL) == OM_EXIT_OK;
    om_ask_close(ask);
    return good;
}

static void show_running(struct om_cli *cli, json_t *version, bool was)
{
    char id[OM_OUT_TEXT_MAX] = "";
    const char *peer = NULL;
    struct om_ask *ask = NULL;
    json_t *status = NULL, *out;

    if (om_ask_open(&ask, cli->place.control, NULL) == OM_EXIT_OK &&
        om_ask_call(ask, "status", NULL, OM_SEC(5), &status, NULL) == OM_EXIT_OK) {
        peer = json_string_value(
            json_object_get(json_array_get(json_object_get(status, "networks"), 0), "self"));
    }
    om_ask_close(ask);
    om_out_escape(id, peer);
    if (cli->out.json) {
        out = json_pack("{s:b, s:s?, s:O?, s:s}", "was_running", was, "peer", peer, "version",
                        json_object_get(version, "version"), "home", cli->place.home);
        om_out_json(&cli->out, out);
        json_decref(out);
    } else {
        om_out_line(&cli->out, "omerta-meshd %s%s%s", was ? "is already running" : "runs",
                    *id ? "; this node is " : "", id);
        if (!was)
            om_out_line(&cli->out, "next: `omerta status`, `omerta peers`, `omerta watch`");
    }
    json_decref(status);
}

/* It ended instead of answering: one sentence when it said one, else all that it wrote. */
static void show_last_words(struct om_cli *cli, int code, long log_from)
{
    static const char prefix[] = "omerta-meshd: ";
    char shown[OM_OUT_TEXT_MAX], *log = NULL;
    size_t n;

    if (om_logfile_since(cli->place.home, log_from, &log, NULL))
        log = NULL;
    n = log ? strcspn(log, "\n") : 0;
    if (n && log[n] && !log[n + 1] && strncmp(log, prefix, sizeof prefix - 1) == 0) {
        log[n] = 0;
        om_out_error(&cli->out, "omerta-meshd did not start: %s",
                     om_out_escape(shown, log + sizeof prefix - 1));
    } else {
        om_out_error(&cli->out, "omerta-meshd ended at once with code %d%s", code,
                     n ? "; its last words:" : "");
        om_out_lines(cli->out.problems, log ? log : "");
    }
    free(log);
}

/*
 * Until it answers, or @pid has ended (0: a service manager watches it); what it says goes to the
 * log from @log_from on.
 */
static enum om_exit await(struct om_cli *cli, pid_t pid, long log_from)
{
    om_time from = om_clock_now();
    char text[64];
    json_t *version;
    int code;

    while (om_clock_now() - from < START_PATIENCE) {
        if (answers(cli, &version)) {
            show_running(cli, version, false);
            json_decref(version);
            return OM_EXIT_OK;
        }
        if (pid > 0 && om_child_ended(pid, &code)) {
            show_last_words(cli, code, log_from);
            return OM_EXIT_FAILED;
        }
        snprintf(text, sizeof text, "starting omerta-meshd (%d s)",
                 (int)((om_clock_now() - from) / OM_SEC(1)));
        om_out_progress(&cli->out, text);
        om_clock_wait(LOOK_AGAIN);
    }
    om_out_error(&cli->out, "omerta-meshd does not answer after %d s: see `omerta log`",
                 (int)(START_PATIENCE / OM_SEC(1)));
    return OM_EXIT_TIMEOUT;
}

static enum om_exit start_by_unit(struct om_cli *cli, const char *systemctl)
{
    const char *argv[] = {systemctl, "--user", "start", unit_name, NULL};

    if (om_child_run(argv, false) != 0) {
        om_out_error(&cli->out, "systemctl could not start %s: see `journalctl --user -u %s`",
                     unit_name, unit_name);
        return OM_EXIT_FAILED;
    }
    return await(cli, 0, 0);
}

static enum om_exit start_by_hand(struct om_cli *cli)
{
    const char *argv[] = {NULL, "--home", cli->place.home, NULL};
    char program[OM_PATH_MAX];
    struct om_error err;
    off_t log_from;
    pid_t pid;
    int fd;

    if (!om_child_find("omerta-meshd", program)) {
        om_out_error(&cli->out, "omerta-meshd is neither beside omerta nor in PATH");
        return OM_EXIT_FAILED;
    }
    if (om_logfile_open(cli->place.home, &fd, &err)) {
        om_out_error(&cli->out, "%s", err.msg);
        return OM_EXIT_FAILED;
    }
    argv[0] = program;
    log_from = lseek(fd, 0, SEEK_END);
    pid = om_child_start(argv, fd);
    close(fd);
    if (pid < 0) {
        om_out_error(&cli->out, "cannot start %s", program);
        return OM_EXIT_FAILED;
    }
    return await(cli, pid, log_from);
}

enum om_exit om_cmd_up(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 0);
    char program[OM_PATH_MAX];
    json_t *version;

    if (e)
        return e;
    if (answers(cli, &version)) {
        show_running(cli, version, true);
        json_decref(version);
        return OM_EXIT_OK;
    }
    return unit_is_there(cli, program) ? start_by_unit(cli, program) : start_by_hand(cli);
}

/* The daemon holds the lock to its last moment; the next one could not start before. */
static bool is_home_free(const char *home)
{
    char path[OM_PATH_MAX + 16];
    bool is_held;
    int fd;

    snprintf(path, sizeof path, "%s/lock", home);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return true; /* none was ever taken here */
    is_held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return !is_held;
}

/* It closes our connection when it ends; then its socket and its lock must be gone, too. */
static enum om_exit stop(struct om_cli *cli, struct om_ask *ask)
{
    om_time until = om_clock_now() + START_PATIENCE;
    struct om_error err;
    json_t *result, *event;
    enum om_exit e = om_ask_call(ask, "stop", NULL, OM_ASK_PATIENCE, &result, &err);

    if (e == OM_EXIT_OK)
        json_decref(result);
    else if (e != OM_EXIT_NO_DAEMON) {
        om_out_error(&cli->out, "%s", err.msg);
        return e;
    }
    om_out_progress(&cli->out, "stopping omerta-meshd");
    while (e == OM_EXIT_OK && om_clock_now() < until) {
        e = om_ask_next_event(ask, until - om_clock_now(), &event, NULL);
        if (e == OM_EXIT_OK)
            json_decref(event);
    }
    while (om_clock_now() < until) {
        struct om_ask *again;

        if (om_ask_open(&again, cli->place.control, NULL) == OM_EXIT_NO_DAEMON &&
            is_home_free(cli->place.home))
            return OM_EXIT_OK;
        om_ask_close(again);
        om_clock_wait(LOOK_AGAIN);
    }
    om_out_error(&cli->out, "omerta-meshd still runs after %d s",
                 (int)(START_PATIENCE / OM_SEC(1)));
    return OM_EXIT_TIMEOUT;
}

static enum om_exit show_ended(struct om_cli *cli, bool was_running, const struct om_purge *removed)
{
    json_t *out;

    if (!cli->out.json)
        return OM_EXIT_OK; /* it was said step by step */
    out = json_pack("{s:b, s:b, s:I, s:I, s:s}", "was_running", (int)was_running, "purged",
                    removed != NULL, "files", (json_int_t)(removed ? removed->files : 0), "bytes",
                    (json_int_t)(removed ? removed->bytes : 0), "home", cli->place.home);
    om_out_json(&cli->out, out);
    json_decref(out);
    return OM_EXIT_OK;
}

static enum om_exit purge(struct om_cli *cli, bool was_running)
{
    const char *home = cli->place.home;
    struct om_purge sum;
    struct om_error err;
    char answer[16];

    if (om_purge_list(home, cli->out.json ? NULL : &cli->out, &sum, &err)) {
        om_out_error(&cli->out, "%s", err.msg);
        return OM_EXIT_FAILED;
    }
    if (!om_args_has(&cli->args, "yes")) {
        (void)fflush(cli->out.to);
        fprintf(cli->out.problems,
                "%" PRIu64 " files, %" PRIu64 " bytes in %s, identity and keys among them.\n"
                "Remove them all? type yes: ",
                sum.files, sum.bytes, home);
        (void)fflush(cli->out.problems);
        if (!fgets(answer, sizeof answer, stdin) || strcmp(answer, "yes\n") != 0) {
            om_out_error(&cli->out, "nothing was removed");
            return OM_EXIT_FAILED;
        }
    }
    if (om_purge_remove(home, &err)) {
        om_out_error(&cli->out, "%s", err.msg);
        return OM_EXIT_FAILED;
    }
    if (!cli->out.json)
        om_out_line(&cli->out, "removed %s", home);
    return show_ended(cli, was_running, &sum);
}

enum om_exit om_cmd_down(struct om_cli *cli)
{
    bool purges = om_args_has(&cli->args, "purge");
    enum om_exit e = om_cli_words(cli, 0, 0);
    struct om_error err;
    struct om_ask *ask;

    if (e)
        return e;
    e = om_ask_open(&ask, cli->place.control, &err);
    if (e == OM_EXIT_NO_DAEMON && purges)
        return purge(cli, false);
    if (e) {
        if (err.code == OM_E_MISSING)
            om_out_error(&cli->out, "no daemon answers at %s: there is none to stop",
                         cli->place.control);
        else
            om_out_error(&cli->out, "%s", err.msg);
        return e;
    }
    e = stop(cli, ask);
    om_ask_close(ask);
    if (e)
        return e;
    if (!cli->out.json)
        om_out_line(&cli->out, "omerta-meshd has stopped");
    return purges ? purge(cli, true) : show_ended(cli, true, NULL);
}
