/* job_files.c - files that go along with a job, and those that come back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/text.h>

#include "job.h"

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* A name that is one in any folder. */
static bool is_name(const char *name)
{
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strlen(name) < 200;
}

static bool fail(struct om_error *err, const char *path, const char *why)
{
    char shown[OM_SHOW_TEXT];

    (void)om_fail(err, OM_E_STATE, "%s: %s", om_text_show(shown, path), why);
    return false;
}

bool om_job_add_input(struct om_job *j, const char *path, struct om_error *err)
{
    struct om_job_input *f = &j->input[j->inputs];
    const char *name = base_of(path);
    struct stat st;

    if (j->inputs == OM_JOB_FILES)
        return om_fail(err, OM_E_FULL, "more than %d files", OM_JOB_FILES) == OM_OK;
    for (unsigned i = 0; i < j->inputs; i++)
        if (strcmp(j->input[i].name, name) == 0)
            return fail(err, name, "two files of that name");
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->fd < 0 || fstat(f->fd, &st) < 0)
        return fail(err, path, strerror(errno));
    f->name = name;
    f->size = (uint64_t)st.st_size;
    f->mode = st.st_mode & 0777;
    j->inputs++;
    if (!S_ISREG(st.st_mode))
        return fail(err, path, "not a file");
    return st.st_size <= OM_JOB_FILE_MAX || fail(err, path, "over 1 GiB");
}

bool om_job_add_output(struct om_job *j, const char *path, struct om_error *err)
{
    struct om_job_output *f = &j->output[j->outputs];
    const char *name = base_of(path);

    if (j->outputs == OM_JOB_FILES)
        return om_fail(err, OM_E_FULL, "more than %d artefacts", OM_JOB_FILES) == OM_OK;
    if (!is_name(name))
        return fail(err, path, "want a file's name");
    for (unsigned i = 0; i < j->outputs; i++)
        if (strcmp(j->output[i].name, name) == 0)
            return fail(err, name, "two artefacts of that name");
    f->path = path;
    f->name = name;
    j->outputs++;
    return true;
}

bool om_job_open_folder(struct om_job *j, const char *path, struct om_error *err)
{
    j->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return j->folder >= 0 || fail(err, path, strerror(errno));
}

/* The file is made when its first byte comes, or when it came whole and empty. */
static bool begin(struct om_job *j, struct om_job_output *f)
{
    if (f->fd >= 0)
        return true;
    (void)snprintf(f->part, sizeof f->part, ".%s.%ld.part", f->name, (long)getpid());
    f->fd = openat(j->folder, f->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (f->fd < 0)
        (void)snprintf(f->failed, sizeof f->failed, "%s", strerror(errno));
    return f->fd >= 0;
}

static bool write_all(int fd, struct om_bytes b)
{
    for (size_t at = 0; at < b.n;) {
        ssize_t n = write(fd, b.p + at, b.n - at);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool om_job_take(struct om_job *j, unsigned index, struct om_bytes bytes)
{
    struct om_job_output *f = &j->output[j->filed];

    if (index != j->filed || index >= j->outputs || bytes.n > OM_JOB_FILE_MAX - f->size)
        return false;
    f->size += bytes.n;
    if (!*f->failed && begin(j, f) && !write_all(f->fd, bytes))
        (void)snprintf(f->failed, sizeof f->failed, "%s", strerror(errno));
    return true;
}

bool om_job_filed(struct om_job *j, unsigned index, struct om_bytes why)
{
    struct om_job_output *f = &j->output[j->filed];

    if (index != j->filed || index >= j->outputs)
        return false;
    j->filed++;
    if (why.n > 0 && !*f->failed)
        (void)om_text_escape(f->failed, sizeof f->failed, why);
    if (!*f->failed && begin(j, f) &&
        (fsync(f->fd) < 0 || renameat(j->folder, f->part, j->folder, f->name) < 0))
        (void)snprintf(f->failed, sizeof f->failed, "%s", strerror(errno));
    if (*f->failed && f->fd >= 0)
        (void)unlinkat(j->folder, f->part, 0);
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    j->missing += *f->failed != '\0';
    return true;
}
