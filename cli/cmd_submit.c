/* cmd_submit.c - submit: a program in a machine of its own, with files in and out. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "commands.h"
#include "job.h"

/* The file at @path as the program of @j; false and @err. */
static bool read_script(struct om_job *j, const char *path, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t r = fd < 0 ? -1 : 1;

    j->script = malloc(OM_JOB_SCRIPT_MAX + 1);
    while (j->script && r > 0 && n <= OM_JOB_SCRIPT_MAX) {
        r = read(fd, j->script + n, OM_JOB_SCRIPT_MAX + 1 - n);
        n += r > 0 ? (size_t)r : 0;
    }
    if (r < 0 || !j->script)
        (void)om_fail(err, OM_E_STATE, "--script: %s: %s", om_text_show(shown, path),
                      strerror(errno));
    else if (n > OM_JOB_SCRIPT_MAX)
        (void)om_fail(err, OM_E_RANGE, "--script: over %d bytes", OM_JOB_SCRIPT_MAX);
    if (fd >= 0)
        (void)close(fd);
    j->script_n = n;
    return j->script && r >= 0 && n <= OM_JOB_SCRIPT_MAX;
}

static enum om_exit set_program(struct om_cli *cli, struct om_job *j)
{
    const char *script = om_args_value(&cli->args, "script");
    struct om_error err;

    j->language = om_args_value(&cli->args, "language");
    if (!j->language)
        j->language = "sh";
    if (!script)
        return om_cli_usage(cli, "want --script TEXT, or --script @FILE");
    if (*script == '@')
        return read_script(j, script + 1, &err) ? OM_EXIT_OK : om_cli_usage(cli, "%s", err.msg);
    j->script = strdup(script);
    j->script_n = strlen(script);
    if (j->script)
        return j->script_n <= OM_JOB_SCRIPT_MAX ? OM_EXIT_OK
                                                : om_cli_usage(cli, "--script: it is too long");
    om_out_error(&cli->out, "out of memory");
    return OM_EXIT_FAILED;
}

enum om_exit om_cmd_submit(struct om_cli *cli)
{
    struct om_job j;

    om_job_init(&j);
    enum om_exit e = om_cli_words(cli, 0, 0);
    if (!e)
        e = set_program(cli, &j);
    if (!e)
        e = om_job_options(cli, &j);
    int code = e ? (int)e : om_job_in_vm(cli, &j);
    om_job_fini(&j);
    return (enum om_exit)code;
}
