/* cmd_bugreport.c - everything a developer asks for first, stripped. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"
#include "commands.h"
#include "logfile.h"
#include "strip.h"
#include "walk.h"

enum { LOG_LINES = 200 };

static const char output_default[] = "omerta-bugreport.txt";

/* What never leaves, whatever it looks like: secrets by their key, and what people call things. */
static bool is_secret(const char *key, const json_t *value)
{
    static const char *const parts[] = {"secret", "key", "password", "token", "psk"};
    static const char *const whole[] = {"name", "nick", "text"};

    if (json_is_null(value) || json_is_number(value) || json_is_boolean(value))
        return false; /* counts of keys are no keys */
    for (size_t i = 0; i < OM_ARRAY_SIZE(parts); i++)
        if (strstr(key, parts[i]))
            return true;
    for (size_t i = 0; i < OM_ARRAY_SIZE(whole); i++)
        if (strcmp(key, whole[i]) == 0)
            return true;
    return false;
}

static void hide_secrets(json_t *value)
{
    struct om_walk w;
    struct om_step step;

    om_walk_init(&w, value);
    while (om_walk_next(&w, &step))
        if (step.key && is_secret(step.key, step.value))
            om_walk_replace(&w, &step, json_string("<hidden>"));
}

static void put_json(FILE *to, const char *title, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;

    fprintf(to, "\n== %s\n", title);
    (void)fputs(text ? text : "(not to be had)", to);
    (void)fputc('\n', to);
    free(text);
}

static void put_asked(struct om_ask *ask, FILE *to, const char *method)
{
    json_t *result = NULL;

    if (ask && om_ask_call(ask, method, NULL, OM_SEC(5), &result, NULL))
        result = NULL;
    hide_secrets(result);
    put_json(to, method, result);
    json_decref(result);
}

static void put_config_file(struct om_cli *cli, FILE *to)
{
    char path[OM_PATH_MAX + 16];
    json_t *config;

    snprintf(path, sizeof path, "%s/config.json", cli->place.home);
    config = json_load_file(path, 0, NULL);
    hide_secrets(config);
    put_json(to, "config.json", config);
    json_decref(config);
}

/* From the daemon, which may log to the journal; from the file when it is down. */
static void put_log(struct om_cli *cli, struct om_ask *ask, FILE *to)
{
    json_t *result = NULL;
    char *text = NULL;

    if (ask && om_ask_call(ask, "log.tail", json_pack("{s:i}", "lines", LOG_LINES), OM_SEC(5),
                           &result, NULL) == OM_EXIT_OK) {
        put_json(to, "log", result);
        json_decref(result);
        return;
    }
    (void)fputs("\n== log\n", to);
    if (om_logfile_tail(cli->place.home, LOG_LINES, &text, NULL))
        text = NULL;
    (void)fputs(text ? text : "(not to be had)\n", to);
    free(text);
}

static void put_all(struct om_cli *cli, FILE *to)
{
    json_t *list = json_array();
    struct om_ask *ask = NULL;
    struct utsname u;

    if (om_ask_open(&ask, cli->place.control, NULL))
        ask = NULL;
    (void)fputs("omerta bug report; secrets, ids, addresses and names are replaced\n", to);
    if (uname(&u) == 0)
        fprintf(to, "%s %s %s\n", u.sysname, u.release, u.machine);
    put_asked(ask, to, "version");
    om_check_home(cli, list);
    om_check_machine(list);
    put_json(to, "doctor", list);
    json_decref(list);
    put_config_file(cli, to);
    put_asked(ask, to, "config.show");
    put_asked(ask, to, "status");
    put_asked(ask, to, "peers.list");
    put_log(cli, ask, to);
    om_ask_close(ask);
}

/* Twice: only the first time round is it known which words are ids. */
static bool write_stripped(struct om_cli *cli, struct om_strip *s, FILE *to)
{
    char *text = NULL;
    size_t n = 0;
    FILE *all = open_memstream(&text, &n), *nowhere = fopen("/dev/null", "we");
    bool good = all && nowhere;

    if (all) {
        if (good)
            put_all(cli, all);
        good = fclose(all) == 0 && good;
    }
    if (good) {
        om_strip_text(s, text, nowhere);
        om_strip_text(s, text, to);
    }
    if (nowhere)
        (void)fclose(nowhere);
    free(text);
    return good;
}

static FILE *open_output(const char *path)
{
    int fd;

    if (strcmp(path, "-") == 0)
        return stdout;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

enum om_exit om_cmd_bugreport(struct om_cli *cli)
{
    const char *path = om_args_value(&cli->args, "output");
    const struct passwd *me = getpwuid(getuid());
    enum om_exit e = om_cli_words(cli, 0, 0);
    static struct om_strip strip;
    char host[256] = "";
    FILE *to;
    bool bad;

    if (e)
        return e;
    path = path ? path : output_default;
    to = open_output(path);
    if (!to) {
        om_out_error(&cli->out, "%s: %s", path, strerror(errno));
        return OM_EXIT_FAILED;
    }
    gethostname(host, sizeof host - 1);
    om_strip_init(&strip);
    if (om_strip_word(&strip, cli->place.home, "<home>") ||
        om_strip_word(&strip, getenv("HOME"), "<user-home>") ||
        om_strip_word(&strip, me ? me->pw_dir : NULL, "<user-home>") ||
        om_strip_word(&strip, host, "<host>") ||
        om_strip_word(&strip, me ? me->pw_name : NULL, "<user>") ||
        om_strip_word(&strip, getenv("USER"), "<user>"))
        om_out_error(&cli->out, "too many words to replace"); /* OM_STRIP_WORDS_MAX is more */
    om_out_progress(&cli->out, "collecting");
    bad = !write_stripped(cli, &strip, to);
    bad |= fflush(to) || ferror(to);
    if (to != stdout)
        bad |= fclose(to) != 0;
    if (bad) {
        om_out_error(&cli->out, "%s: could not be written", path);
        return OM_EXIT_FAILED;
    }
    if (to == stdout)
        return OM_EXIT_OK;
    if (cli->out.json) {
        json_t *out = json_pack("{s:s}", "path", path);

        om_out_json(&cli->out, out);
        json_decref(out);
    } else {
        om_out_line(&cli->out, "wrote %s: read it before you send it", path);
    }
    return OM_EXIT_OK;
}
