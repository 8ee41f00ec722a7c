/* stamp.c - five numbers of stat(2). */
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum om_err om_vm_stamp_of(struct om_vm_stamp *out, int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return OM_E_STATE;
    *out = (struct om_vm_stamp){.device = (uint64_t)st.st_dev,
                                .inode = (uint64_t)st.st_ino,
                                .bytes = (uint64_t)st.st_size,
                                .modified_ns = ns_of(st.st_mtim),
                                .changed_ns = ns_of(st.st_ctim)};
    return OM_OK;
}

enum om_err om_vm_stamp_at(struct om_vm_stamp *out, const char *path, struct om_error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "cannot open %.120s: %s",
                       path, strerror(errno));
    enum om_err e = om_vm_stamp_of(out, fd);
    (void)close(fd);
    return e == OM_OK ? OM_OK : om_fail(err, e, "%.150s is no file", path);
}

bool om_vm_stamp_equal(const struct om_vm_stamp *a, const struct om_vm_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}
