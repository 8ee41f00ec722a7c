/* cmd_run.c - run: a command in a machine of its own; and vm run, in one that is there. */
#include <string.h>

#include "commands.h"
#include "interrupt.h"
#include "job.h"

/* The words from @first on are the program. */
static enum om_exit set_program(struct om_cli *cli, struct om_job *j, unsigned first)
{
    if (cli->args.count <= first)
        return om_cli_usage(cli, "want a command to run");
    j->language = "sh";
    j->script = om_job_quote(cli->args.words + first, cli->args.count - first);
    if (!j->script) {
        om_out_error(&cli->out, "out of memory");
        return OM_EXIT_FAILED;
    }
    j->script_n = strlen(j->script);
    return j->script_n <= OM_JOB_SCRIPT_MAX ? OM_EXIT_OK
                                            : om_cli_usage(cli, "the command is too long");
}

enum om_exit om_cmd_run(struct om_cli *cli)
{
    struct om_job j;

    om_job_init(&j);
    enum om_exit e = set_program(cli, &j, 0);
    if (!e)
        e = om_job_options(cli, &j);
    int code = e ? (int)e : om_job_in_vm(cli, &j);
    om_job_fini(&j);
    return (enum om_exit)code;
}

enum om_exit om_cmd_vm_run(struct om_cli *cli)
{
    struct om_job j;

    om_job_init(&j);
    enum om_exit e = set_program(cli, &j, 2);
    int code = (int)e;
    if (!e) {
        j.timeout = "30d"; /* its machine's lease ends it */
        om_interrupt_catch();
        code = om_job_run(cli, cli->args.words[1], &j);
    }
    om_job_fini(&j);
    return (enum om_exit)code;
}
