/*
 * job.h - a program that runs in a virtual machine
 *
 * What:  what is sent, what comes back, and the exit code that follows from it.
 * Why:   run, submit and vm run differ in where the program comes from and whose machine it is.
 * Keeps: job_words_are_quoted_for_the_shell; job_artefacts_stay_in_their_folder;
 *        job_artefact_is_whole_or_not_there; job_exit_code_says_how_it_ended.
 *
 * Full: OM_JOB_FILES inputs and as many artefacts, of at most OM_JOB_FILE_MAX bytes each; a program
 * of OM_JOB_SCRIPT_MAX bytes.
 */
#ifndef OM_CLI_JOB_H
#define OM_CLI_JOB_H

#include <sys/types.h>

#include "cli.h"
#include "ipc/job_frame.h"

enum {
    OM_JOB_FILES = 16,
    OM_JOB_SCRIPT_MAX = 1 << 20,
    OM_JOB_FILE_MAX = 1 << 30,
    OM_JOB_TEXT = 256,
    OM_JOB_TIME_S = 3600, /* what a provider gives a job that does not say */
    OM_JOB_GET_S = 600,   /* and its artefacts, after that */
    OM_JOB_SPARE_S = 30,  /* then one that says nothing has lost it */
    /* As timeout(1) and env(1) have them; all others are the program's. */
    OM_JOB_EXIT_TIMEOUT = 124,
    OM_JOB_EXIT_FAILED = 125,
    OM_JOB_EXIT_INTERRUPTED = 130
};

struct om_job_input {
    const char *name; /* in the guest's /work */
    int fd;
    uint64_t size;
    unsigned mode;
};

struct om_job_output {
    const char *path, *name; /* in the guest; in our folder */
    char part[OM_JOB_TEXT];  /* what it is called until it is whole */
    int fd;                  /* -1: nothing of it came */
    uint64_t size;
    char failed[OM_JOB_TEXT]; /* why it cannot be kept */
};

struct om_job {
    const char *language, *timeout, *output_max; /* NULL: as the provider has it */
    char *script;                                /* owned */
    size_t script_n;
    struct om_job_input input[OM_JOB_FILES];
    struct om_job_output output[OM_JOB_FILES];
    unsigned inputs, outputs, filed; /* filed: artefacts that have come, or will not */
    unsigned missing;
    int folder; /* where they go; -1: not open */
    bool has_ended;
    char end[16], text[OM_JOB_TEXT];
    long long status;
};

/** om_job_quote() - the @count @words as one line for a shell, which runs just these; NULL: no
 *  memory. Owned by the caller. */
char *om_job_quote(const char *const *words, unsigned count);

/** om_job_init() - @j is a job without program and files. */
void om_job_init(struct om_job *j);

/** om_job_fini() - close and free what is in @j; artefacts that are not whole are removed. */
void om_job_fini(struct om_job *j);

/* job_files.c */

/** om_job_add_input() - the file at @path goes along with @j; false and @err. */
bool om_job_add_input(struct om_job *j, const char *path, struct om_error *err);

/** om_job_add_output() - @path in the guest comes back with @j, by the last part of it; false and
 *  @err. */
bool om_job_add_output(struct om_job *j, const char *path, struct om_error *err);

/** om_job_open_folder() - artefacts of @j go to @path; false and @err. */
bool om_job_open_folder(struct om_job *j, const char *path, struct om_error *err);

/** om_job_take() - artefact @index of @j has @bytes more; false when that makes no sense. */
bool om_job_take(struct om_job *j, unsigned index, struct om_bytes bytes);

/** om_job_filed() - artefact @index of @j is whole, or not: @why; false when that makes no sense.
 *  What came of it stays only if it is whole. */
bool om_job_filed(struct om_job *j, unsigned index, struct om_bytes why);

/* job_run.c */

/** om_job_exit() - the exit code of @j, of which @interrupted says whether our user ended it. */
int om_job_exit(const struct om_job *j, bool interrupted);

/** om_job_run() - run @j in machine @vm, with what it says on the output of @cli; its exit code. */
int om_job_run(struct om_cli *cli, const char *vm, struct om_job *j);

/* job_vm.c */

/** om_job_in_vm() - run @j, as the options of @cli say, in a machine of its own, which is released
 *  whatever happens; the exit code. */
int om_job_in_vm(struct om_cli *cli, struct om_job *j);

/** om_job_options() - read into @j what run and submit have in common of @cli: files, folder,
 *  bounds; OM_EXIT_OK, or another after it was said. */
OM_MUST enum om_exit om_job_options(struct om_cli *cli, struct om_job *j);

/* cmd_run.c */

/** om_cmd_vm_run() - vm run of @cli: a command in a machine that is there; its exit code. */
enum om_exit om_cmd_vm_run(struct om_cli *cli);

#endif
