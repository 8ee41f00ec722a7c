/* job_vm.c - a machine for one job: asked for, followed, released. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "interrupt.h"
#include "job.h"
#include "provider.h"

/* A machine may boot under emulation on a busy machine. */
#define BOOT_PATIENCE OM_SEC(600)
#define END_PATIENCE  OM_SEC(120)
/* Asking several providers, each as long as it may take. */
#define CHOOSE_PATIENCE OM_SEC(60)
/* What a job takes unless it says, and what its machine has beyond that. */
#define JOB_TIME  OM_SEC(3600)
#define SPARE_TTL OM_SEC(900)
#define TTL_MAX   OM_SEC(30 * 86400)

enum { VM_TEXT = 64, CPUS_MAX = 64 };

static const char *word_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

/* What happens to the machine goes beside what the job says. */
static void show(struct om_cli *cli, const json_t *event)
{
    static char last[OM_OUT_TEXT_MAX]; /* what was shown: other things change, too */
    char vm[OM_OUT_TEXT_MAX], state[OM_OUT_TEXT_MAX], text[OM_OUT_TEXT_MAX], line[OM_OUT_TEXT_MAX];

    if (cli->out.json) {
        om_out_json_line(&cli->out, event);
        return;
    }
    (void)om_out_escape(state, word_of(event, "state"));
    (void)om_out_escape(text, word_of(event, "text"));
    (void)snprintf(line, sizeof line, "%.40s: %.40s%s%.200s",
                   om_out_escape(vm, word_of(event, "vm")), state, *text ? ": " : "", text);
    if (strcmp(line, last) != 0)
        fprintf(stderr, "%s\n", line);
    memcpy(last, line, sizeof last);
}

/* Shows what happens to machine @vm until it is @wanted: true; or gone, or our user had enough. */
static bool follow(struct om_cli *cli, struct om_ask *ask, const char *vm, const char *wanted,
                   om_time patience)
{
    struct om_error err;
    json_t *event;

    while (!om_interrupt_came()) {
        if (om_ask_next_event(ask, patience, &event, &err) != OM_EXIT_OK) {
            if (!om_interrupt_came())
                om_out_error(&cli->out, "%s", err.msg);
            return false;
        }
        bool is_mine =
            strcmp(word_of(event, "event"), "vm") == 0 && strcmp(word_of(event, "vm"), vm) == 0;
        bool is_there = is_mine && strcmp(word_of(event, "state"), wanted) == 0;
        bool is_gone = is_mine && strcmp(word_of(event, "state"), "gone") == 0;
        if (is_mine)
            show(cli, event);
        json_decref(event);
        if (is_there || is_gone)
            return is_there;
    }
    return false;
}

/* The request as the options say; NULL after it was said what is wrong. */
static json_t *params_of(struct om_cli *cli, struct om_ask *ask, const struct om_job *j)
{
    static const char *const words[] = {"memory", "disk", "image", "description"};
    char ttl[OM_DURATION_TEXT];
    om_time time = JOB_TIME;
    json_t *o = om_cli_params(cli);
    uint64_t cpus;

    if (j->timeout)
        (void)!om_duration_parse(&time, j->timeout, NULL);
    (void)om_duration_print(om_time_min(time + SPARE_TTL, TTL_MAX), ttl, sizeof ttl);
    (void)!om_args_number(&cli->args, "cpu", 1, CPUS_MAX, &cpus, NULL);
    (void)json_object_set_new(o, "bound", json_true());
    (void)json_object_set_new(o, "language", json_string(j->language));
    (void)json_object_set_new(o, "ttl", json_string(ttl));
    (void)json_object_set_new(o, "cpus", json_integer((json_int_t)cpus));
    if (strcmp(j->language, "python") == 0)
        (void)json_object_set_new(o, "image", json_string("python"));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        if (om_args_value(&cli->args, words[i]))
            (void)json_object_set_new(o, words[i],
                                      json_string(om_args_value(&cli->args, words[i])));
    if (!om_args_value(&cli->args, "provider"))
        (void)json_object_set_new(o, "any", json_true());
    if (om_provider_add(cli, ask, o) == OM_EXIT_OK)
        return o;
    json_decref(o);
    return NULL;
}

/* The machine's id, "" when there is none; true when it runs. */
static bool get(struct om_cli *cli, struct om_ask *ask, const struct om_job *j,
                char vm[static VM_TEXT])
{
    json_t *params = params_of(cli, ask, j), *result = NULL;
    struct om_error err;

    vm[0] = '\0';
    if (!params)
        return false;
    if (om_ask_call(ask, "vm.request", params, CHOOSE_PATIENCE, &result, &err) != OM_EXIT_OK) {
        if (!om_interrupt_came())
            om_out_error(&cli->out, "%s", err.msg);
        return false;
    }
    (void)snprintf(vm, VM_TEXT, "%.63s", word_of(result, "vm"));
    show(cli, result);
    bool is_up = strcmp(word_of(result, "state"), "running") == 0;
    json_decref(result);
    return is_up || follow(cli, ask, vm, "running", BOOT_PATIENCE);
}

/* Until nothing is left of it; if that takes too long, or our user has enough, it goes on alone. */
static void release(struct om_cli *cli, struct om_ask *ask, const char *vm)
{
    json_t *result = NULL;
    struct om_error err;

    if (om_ask_call(ask, "vm.release", json_pack("{s:s}", "vm", vm), OM_ASK_PATIENCE, &result,
                    &err) == OM_EXIT_OK)
        (void)follow(cli, ask, vm, "gone", END_PATIENCE);
    json_decref(result);
}

int om_job_in_vm(struct om_cli *cli, struct om_job *j)
{
    int code = OM_JOB_EXIT_FAILED;
    struct om_ask *ask;
    char vm[VM_TEXT];

    if (om_cli_open(cli, &ask) != OM_EXIT_OK)
        return OM_JOB_EXIT_FAILED;
    om_interrupt_catch();
    if (get(cli, ask, j, vm))
        code = om_job_run(cli, vm, j);
    if (om_interrupt_take())
        code = OM_JOB_EXIT_INTERRUPTED;
    if (*vm)
        release(cli, ask, vm);
    om_ask_close(ask);
    return code;
}

/* Every value of option @name goes to @add. */
static bool add_all(struct om_cli *cli, struct om_job *j, const char *name,
                    bool (*add)(struct om_job *j, const char *path, struct om_error *err),
                    struct om_error *err)
{
    const struct om_args *a = &cli->args;

    for (unsigned i = 0; i < a->given_count; i++)
        if (strcmp(a->given[i].option->name, name) == 0 && !add(j, a->given[i].value, err))
            return false;
    return true;
}

enum om_exit om_job_options(struct om_cli *cli, struct om_job *j)
{
    const char *into = om_args_value(&cli->args, "into");
    struct om_error err;
    om_time time;
    uint64_t n;

    j->timeout = om_args_value(&cli->args, "timeout");
    j->output_max = om_args_value(&cli->args, "output-max");
    if (om_args_number(&cli->args, "cpu", 1, CPUS_MAX, &n, NULL) != OM_OK)
        return om_cli_usage(cli, "--cpu: want a number from 1 to %d", CPUS_MAX);
    if (j->timeout && om_duration_parse(&time, j->timeout, &err) != OM_OK)
        return om_cli_usage(cli, "--timeout: %s", err.msg);
    if (j->output_max && om_size_parse(&n, j->output_max, &err) != OM_OK)
        return om_cli_usage(cli, "--output-max: %s", err.msg);
    if (!add_all(cli, j, "file", om_job_add_input, &err) ||
        !add_all(cli, j, "output", om_job_add_output, &err) ||
        (j->outputs && !om_job_open_folder(j, into ? into : ".", &err)))
        return om_cli_usage(cli, "%s", err.msg);
    return OM_EXIT_OK;
}
