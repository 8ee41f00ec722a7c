/* qcow2.c - the header, field by field, and what of it is let through. */
#include "qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/wire.h>

#define MAGIC            0x514649fbU /* "QFI" and 0xfb */
#define SIZE_MAX_OF_A_VM ((uint64_t)1 << 50)
#define HARMLESS         ((uint64_t)0x1) /* incompatible bit 0: dirty, which QEMU mends */

/* Up to where version 2 ends. */
struct header {
    uint32_t magic, version;
    uint64_t base_at;
    uint32_t base_n, cluster_bits;
    uint64_t size;
    uint32_t crypt, l1_n;
    uint64_t l1_at, refcount_at;
    uint32_t refcount_n, snapshots;
    uint64_t snapshots_at;
    uint64_t incompatible; /* version 3 */
};

static void read_header(struct header *h, struct om_rd *r)
{
    h->magic = om_rd_u32(r);
    h->version = om_rd_u32(r);
    h->base_at = om_rd_u64(r);
    h->base_n = om_rd_u32(r);
    h->cluster_bits = om_rd_u32(r);
    h->size = om_rd_u64(r);
    h->crypt = om_rd_u32(r);
    h->l1_n = om_rd_u32(r);
    h->l1_at = om_rd_u64(r);
    h->refcount_at = om_rd_u64(r);
    h->refcount_n = om_rd_u32(r);
    h->snapshots = om_rd_u32(r);
    h->snapshots_at = om_rd_u64(r);
    if (h->version >= 3)
        h->incompatible = om_rd_u64(r);
}

bool om_vm_qcow2_is(struct om_bytes in)
{
    struct om_rd r = om_rd(in);

    return om_rd_u32(&r) == MAGIC && !r.bad;
}

enum om_err om_vm_qcow2_check(uint64_t *size, struct om_bytes in, struct om_error *err)
{
    struct om_rd r = om_rd(in);
    struct header h = {0};

    read_header(&h, &r);
    if (h.magic != MAGIC)
        return om_fail(err, OM_E_PARSE, "it is no qcow2 image");
    if (r.bad)
        return om_fail(err, OM_E_PARSE, "the qcow2 image ends within its header");
    if (h.version != 2 && h.version != 3)
        return om_fail(err, OM_E_UNSUPPORTED, "qcow2 version %u: want 2 or 3", h.version);
    if (h.base_at != 0 || h.base_n != 0)
        return om_fail(err, OM_E_UNSUPPORTED, "the qcow2 image names another file as its base");
    if (h.crypt != 0)
        return om_fail(err, OM_E_UNSUPPORTED, "the qcow2 image is encrypted");
    if (h.snapshots != 0)
        return om_fail(err, OM_E_UNSUPPORTED, "the qcow2 image has snapshots in it");
    if ((h.incompatible & ~HARMLESS) != 0)
        return om_fail(err, OM_E_UNSUPPORTED,
                       "the qcow2 image keeps its data elsewhere, or is damaged, or is newer than"
                       " we know");
    if (h.size == 0 || h.size > SIZE_MAX_OF_A_VM)
        return om_fail(err, OM_E_RANGE, "the qcow2 image has no size that a disk can have");
    *size = h.size;
    return OM_OK;
}

static enum om_err judge(uint64_t *size, int fd, const char *path, bool is_qcow2,
                         struct om_error *err)
{
    uint8_t first[OM_VM_QCOW2_HEADER];
    struct stat st;
    ssize_t n = pread(fd, first, sizeof first, 0);

    if (n < 0 || fstat(fd, &st) != 0)
        return om_fail(err, OM_E_STATE, "cannot read %.120s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return om_fail(err, OM_E_STATE, "%.150s is no file", path);
    struct om_bytes in = {first, (size_t)n};
    if (is_qcow2)
        return om_vm_qcow2_check(size, in, err);
    if (om_vm_qcow2_is(in))
        return om_fail(err, OM_E_PARSE, "%.120s is called raw but begins like a qcow2", path);
    *size = (uint64_t)st.st_size;
    return OM_OK;
}

enum om_err om_vm_qcow2_size(uint64_t *size, const char *path, const char *format,
                             struct om_error *err)
{
    bool is_qcow2 = strcmp(format, "qcow2") == 0;

    if (!is_qcow2 && strcmp(format, "raw") != 0)
        return om_fail(err, OM_E_RANGE, "\"%.20s\": want raw or qcow2", format);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "cannot open %.120s: %s",
                       path, strerror(errno));
    enum om_err e = judge(size, fd, path, is_qcow2, err);
    (void)close(fd);
    return e;
}
