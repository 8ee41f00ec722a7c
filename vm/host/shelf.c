/* shelf.c - one folder, one lock, and a sorted look into it. */
#include "shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char description[] = "image.json";

struct om_vm_shelf {
    int folder;
    char path[];
};

/* A look into the folder, with room for what is read. */
struct look {
    char names[OM_VM_SHELF_MAX + 1][OM_VM_SHELF_NAME_MAX];
    size_t count;
    bool is_full;
    char text[OM_VM_SHELF_JSON_MAX + 1];
};

bool om_vm_shelf_is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n < OM_VM_SHELF_NAME_MAX && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == n;
}

static enum om_err judge(int fd, const char *path, struct om_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return om_fail(err, OM_E_STATE, "cannot look at %.120s: %s", path, strerror(errno));
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 0022) != 0)
        return om_fail(err, OM_E_STATE,
                       "others may write to %.100s, and so choose what machines run: chmod go-w",
                       path);
    return OM_OK;
}

enum om_err om_vm_shelf_open(struct om_vm_shelf **out, const char *path, struct om_error *err)
{
    size_t n = strlen(path) + 1;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return om_fail(err, OM_E_STATE, "cannot make %.120s: %s", path, strerror(errno));
    struct om_vm_shelf *s = calloc(1, sizeof *s + n);
    if (!s)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    memcpy(s->path, path, n);
    s->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum om_err e = s->folder < 0
                        ? om_fail(err, OM_E_STATE, "cannot enter %.120s: %s", path, strerror(errno))
                        : judge(s->folder, path, err);
    if (e == OM_OK)
        *out = s;
    else
        om_vm_shelf_close(s);
    return e;
}

void om_vm_shelf_close(struct om_vm_shelf *s)
{
    if (!s)
        return;
    if (s->folder >= 0)
        (void)close(s->folder);
    free(s);
}

/* To change from one kind to the other, the system lets go first. */
enum om_err om_vm_shelf_lock(struct om_vm_shelf *s, bool is_writer)
{
    return flock(s->folder, (is_writer ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 ? OM_OK : OM_E_BUSY;
}

void om_vm_shelf_unlock(struct om_vm_shelf *s)
{
    (void)flock(s->folder, LOCK_UN);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Keeps the first by name: the last of too many is the one to go. */
static void note(struct look *l, const char *name)
{
    memcpy(l->names[l->count++], name, strlen(name) + 1); /* which om_vm_shelf_is_name() bounds */
    if (l->count <= OM_VM_SHELF_MAX)
        return;
    qsort(l->names, l->count, sizeof l->names[0], by_name);
    l->count--;
    l->is_full = true;
}

static enum om_err list(const struct om_vm_shelf *s, struct look *l, struct om_error *err)
{
    int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d) {
        int cause = errno;
        if (fd >= 0)
            (void)close(fd);
        return om_fail(err, OM_E_STATE, "cannot read %.120s: %s", s->path, strerror(cause));
    }
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        if (om_vm_shelf_is_name(e->d_name))
            note(l, e->d_name);
    (void)closedir(d);
    qsort(l->names, l->count, sizeof l->names[0], by_name);
    return OM_OK;
}

/* Bytes of the description, 0 when there is none (a build under way, a stray file), -1 when it is
 * there and cannot be used. */
static ssize_t read_description(const struct om_vm_shelf *s, const char *name, char *text)
{
    char path[OM_VM_SHELF_NAME_MAX + sizeof description + 1];

    (void)snprintf(path, sizeof path, "%s/%s", name, description);
    int fd = openat(s->folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    size_t have = 0;
    ssize_t n = 0;
    while (have <= OM_VM_SHELF_JSON_MAX &&
           (n = read(fd, text + have, OM_VM_SHELF_JSON_MAX + 1 - have)) > 0)
        have += (size_t)n;
    (void)close(fd);
    return n < 0 || have == 0 || have > OM_VM_SHELF_JSON_MAX ? -1 : (ssize_t)have;
}

enum om_err om_vm_shelf_each(struct om_vm_shelf *s,
                             void (*each)(void *self, const char *name, const char *text, size_t n),
                             void *self, struct om_error *err)
{
    struct look *l = calloc(1, sizeof *l);
    if (!l)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    enum om_err e = list(s, l, err);
    for (size_t i = 0; i < l->count; i++) {
        ssize_t n = read_description(s, l->names[i], l->text);
        if (n > 0)
            each(self, l->names[i], l->text, (size_t)n);
        else if (n < 0)
            e = om_fail(err, OM_E_RANGE, "%.60s/%.60s/%s cannot be read, or is not 1 to %d bytes",
                        s->path, l->names[i], description, OM_VM_SHELF_JSON_MAX);
    }
    if (e == OM_OK && l->is_full)
        e = om_fail(err, OM_E_FULL, "%.100s has more than %d images", s->path, OM_VM_SHELF_MAX);
    free(l);
    return e;
}
