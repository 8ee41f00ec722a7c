/* test_sums.c - a file is read once while it does not change */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "host/folder.h"
#include "vm/host/sums.h"

enum { NS_PER_MS = 1000000 };

struct rig {
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    struct om_vm_sums sums;
    uint8_t hash[OM_VM_DIGEST_BYTES];
};

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static bool rig_init(struct rig *r)
{
    *r = (struct rig){.sums = {.n = 0}};
    if (!folder_make(r->top))
        return false;
    folder_at(r->path, r->top, "file");
    put(r->path, "abc");
    return true;
}

/* @later ms after the file's last change. */
static enum om_err look(struct rig *r, int64_t later)
{
    struct om_vm_stamp stamp;

    CHECK_OK(om_vm_stamp_at(&stamp, r->path, NULL));
    struct om_wall now = {.unix_ms = stamp.changed_ns / NS_PER_MS + later};
    return om_vm_sums_file(&r->sums, r->path, now, r->hash);
}

OM_TEST(sums_reads_a_file_once)
{
    static const uint8_t begin[] = {0xba, 0x78, 0x16, 0xbf}; /* FIPS 180-4, "abc" */
    struct om_vm_sums copy;
    struct rig r;

    OM_TRY(rig_init(&r));
    OM_TRY(look(&r, OM_VM_SUMS_CALM_MS) == OM_OK);
    CHECK(memcmp(r.hash, begin, sizeof begin) == 0);
    CHECK_EQ(r.sums.read, 1);
    copy = (struct om_vm_sums){.n = 0};
    om_vm_sums_merge(&copy, &r.sums);
    om_vm_sums_merge(&copy, &r.sums);
    CHECK_EQ(copy.n, 1);
    r.sums = copy;
    memset(r.hash, 0, sizeof r.hash);
    CHECK_OK(look(&r, OM_VM_SUMS_CALM_MS));
    CHECK(memcmp(r.hash, begin, sizeof begin) == 0);
    CHECK_EQ(r.sums.read, 0);
out:
    folder_remove(r.top);
}

OM_TEST(sums_reads_a_changed_file_again)
{
    uint8_t before[OM_VM_DIGEST_BYTES];
    struct rig r;

    OM_TRY(rig_init(&r));
    OM_TRY(look(&r, OM_VM_SUMS_CALM_MS) == OM_OK);
    memcpy(before, r.hash, sizeof before);
    /* Another file of the same size in its place. */
    OM_TRY(unlink(r.path) == 0);
    put(r.path, "abd");
    OM_TRY(look(&r, OM_VM_SUMS_CALM_MS) == OM_OK);
    CHECK(memcmp(r.hash, before, sizeof before) != 0);
    CHECK_EQ(r.sums.read, 2);
out:
    folder_remove(r.top);
}

OM_TEST(sums_does_not_trust_a_file_of_just_now)
{
    struct rig r;

    OM_TRY(rig_init(&r));
    OM_TRY(look(&r, OM_VM_SUMS_CALM_MS - 1) == OM_OK);
    OM_TRY(look(&r, -1000) == OM_OK);
    CHECK_EQ(r.sums.n, 0);
    CHECK_EQ(r.sums.read, 2);
    OM_TRY(look(&r, OM_VM_SUMS_CALM_MS) == OM_OK);
    CHECK_EQ(r.sums.n, 1);
out:
    folder_remove(r.top);
}

OM_TEST(sums_forgets_the_oldest)
{
    struct om_vm_sums many = {.n = 0};

    for (unsigned i = 0; i <= OM_VM_SUMS_MAX; i++) {
        struct om_vm_sums one = {.n = 1, .next = 1, .row = {{.stamp = {.inode = i + 1}}}};
        om_vm_sums_merge(&many, &one);
    }
    CHECK_EQ(many.n, OM_VM_SUMS_MAX);
    CHECK_EQ(many.row[0].stamp.inode, OM_VM_SUMS_MAX + 1);
    CHECK_EQ(many.row[1].stamp.inode, 2);
}

OM_TEST(sums_of_no_file)
{
    struct rig r;

    OM_TRY(rig_init(&r));
    struct om_wall now = {.unix_ms = 1};
    CHECK_ERR(om_vm_sums_file(&r.sums, r.top, now, r.hash), OM_E_STATE); /* a folder */
    OM_TRY(unlink(r.path) == 0);
    CHECK_ERR(om_vm_sums_file(&r.sums, r.path, now, r.hash), OM_E_STATE);
    CHECK_EQ(r.sums.n, 0);
out:
    folder_remove(r.top);
}
