/* seed_job.c - both ends of the child that writes a seed. */
#include "seed_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>
#include <omerta/attr.h>

#include "task.h"

static const char volume[] = "cidata";

enum {
    WHY_MAX = 200,
    IMAGE_BYTES = 4 * OM_VM_ISO_BYTES, /* with what the format adds */
    MEMORY_MIB = 256,
    CPU_S = 5,
    FILES = 32
};

struct om_vm_seed_job {
    struct om_vm_task *task;
    int folder;
    char name[OM_VM_ISO_NAME_MAX];
    void (*on_done)(void *self, enum om_err e, const char *why);
    void *self;
};

static void job_free(struct om_vm_seed_job *j, bool is_kept)
{
    if (!is_kept)
        (void)unlinkat(j->folder, j->name, 0);
    (void)close(j->folder);
    free(j);
}

static void on_end(void *self, const struct om_vm_task_end *end)
{
    struct om_vm_seed_job *j = self;
    bool ok = end->how.is_known && end->how.signal == 0 && end->how.code == 0;
    bool is_full = strstr(end->said, "disk full") != NULL;
    char why[WHY_MAX] = "";

    if (!ok)
        om_vm_task_why(end, "the writer of the seed", why, sizeof why);
    j->on_done(j->self, ok ? OM_OK : is_full ? OM_E_FULL : OM_E_STATE, why);
    job_free(j, ok);
}

static json_t *pack(const struct om_vm_seed_job_config *c)
{
    json_t *files = json_object();

    for (size_t i = 0; i < c->count; i++)
        if (json_object_set_new(files, c->files[i].name,
                                json_stringn(c->files[i].bytes, c->files[i].n)) != 0) {
            json_decref(files);
            return NULL;
        }
    return json_pack("{s:s,s:o}", "volume", volume, "files", files);
}

static int put(const char *bytes, size_t n, void *fd)
{
    ssize_t w = write(*(const int *)fd, bytes, n);

    return w == (ssize_t)n ? 0 : -1; /* into memory, which is never written in part */
}

/* The texts in memory that has a descriptor; -1 on failure. */
static int input_open(const struct om_vm_seed_job_config *c, struct om_error *err)
{
    json_t *j = pack(c);
    int fd = memfd_create("omerta-seed", MFD_CLOEXEC);

    if (!j)
        (void)om_fail(err, OM_E_RANGE, "the texts of a seed must be UTF-8");
    else if (fd < 0 || json_dump_callback(j, put, &fd, JSON_COMPACT) != 0 ||
             lseek(fd, 0, SEEK_SET) != 0)
        (void)om_fail(err, OM_E_STATE, "cannot hand over a seed: %s", strerror(errno));
    else {
        json_decref(j);
        return fd;
    }
    json_decref(j);
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static enum om_err run(struct om_vm_seed_job *j, const struct om_vm_seed_job_config *c, int out,
                       struct om_error *err)
{
    struct om_error local;
    int in = input_open(c, err ? err : &local);

    if (in < 0)
        return (err ? err : &local)->code;
    struct om_vm_task_config config = {
        .loop = c->loop,
        .via = c->via,
        .argv = c->argv,
        .folder = c->folder,
        .in = in,
        .out = out,
        /* A sanitizer maps more address space than any limit would leave it. */
        .limits = {.memory_bytes = OM_HAS_SANITIZER ? 0 : (uint64_t)MEMORY_MIB << 20,
                   .file_bytes = IMAGE_BYTES,
                   .files = FILES,
                   .cpu_s = CPU_S},
        .deadline_ms = OM_VM_SEED_JOB_MS,
        .on_end = on_end,
        .self = j};
    enum om_err e = om_vm_task_start(&j->task, &config, err);
    (void)close(in);
    return e;
}

static enum om_err check(const struct om_vm_seed_job_config *c, struct om_error *err)
{
    if (!om_vm_iso_is_name(c->name))
        return om_fail(err, OM_E_RANGE, "\"%.70s\" is no name for a seed", c->name);
    for (size_t i = 0; i < c->count; i++)
        if (!om_vm_iso_is_name(c->files[i].name))
            return om_fail(err, OM_E_RANGE, "\"%.70s\" is no name for a file of a seed",
                           c->files[i].name);
    return OM_OK;
}

enum om_err om_vm_seed_job_start(struct om_vm_seed_job **out,
                                 const struct om_vm_seed_job_config *config, struct om_error *err)
{
    enum om_err e = check(config, err);
    if (e != OM_OK)
        return e;
    struct om_vm_seed_job *j = calloc(1, sizeof *j);
    if (!j)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    j->on_done = config->on_done;
    j->self = config->self;
    (void)snprintf(j->name, sizeof j->name, "%s", config->name);
    j->folder = open(config->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = j->folder < 0 ? -1
                           : openat(j->folder, j->name,
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        e = om_fail(err,
                    errno == EEXIST   ? OM_E_EXISTS
                    : errno == ENOENT ? OM_E_MISSING
                                      : OM_E_STATE,
                    "cannot make %.100s/%.50s: %s", config->folder, j->name, strerror(errno));
        if (j->folder >= 0)
            (void)close(j->folder);
        free(j);
        return e;
    }
    e = run(j, config, fd, err);
    (void)close(fd);
    if (e == OM_OK)
        *out = j;
    else
        job_free(j, false);
    return e;
}

void om_vm_seed_job_cancel(struct om_vm_seed_job *j)
{
    om_vm_task_cancel(j->task);
    job_free(j, false);
}

/* The files of @j, whose texts stay its own; how many, or 0 when it is not as it should be. */
static size_t files_of(json_t *j, const char **label, struct om_vm_iso_file *files)
{
    json_t *all = NULL, *text = NULL;
    const char *name = NULL;
    size_t n = 0;

    if (json_unpack(j, "{s:s,s:o!}", "volume", label, "files", &all) != 0)
        return 0;
    json_object_foreach(all, name, text)
    {
        if (n == OM_VM_ISO_FILES || !json_is_string(text))
            return 0;
        files[n++] =
            (struct om_vm_iso_file){name, json_string_value(text), json_string_length(text)};
    }
    return n;
}

int om_vm_seed_serve(int in, int out)
{
    struct om_vm_iso_file files[OM_VM_ISO_FILES];
    struct om_error err = {.msg = "want {\"volume\": TEXT, \"files\": {NAME: TEXT}}"};
    const char *label = NULL;
    json_t *j = json_loadfd(in, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    size_t n = j ? files_of(j, &label, files) : 0;

    bool ok = n > 0 && om_vm_iso_write(out, label, files, n, &err) == OM_OK;
    if (!ok)
        (void)fprintf(stderr, "%s\n", err.msg);
    json_decref(j);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
