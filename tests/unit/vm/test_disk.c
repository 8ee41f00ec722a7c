/* test_disk.c - disks that QEMU's own tool makes and reads. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "qemu.h"
#include "vm/host/disk.h"
#include "vm/host/qcow2.h"

struct rig {
    struct loop loop;
    char tool[OM_VM_PATH_MAX];
    char disk[FOLDER_MAX + 16], image[FOLDER_MAX + 16];
    struct om_vm_disk *d;
    enum om_err e;
    char why[200];
    bool is_done;
    struct om_error err;
};

static void on_done(void *self, enum om_err e, const char *why)
{
    struct rig *r = self;

    r->e = e;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    r->is_done = true;
}

/* False when there is no qemu-img. */
static bool rig_init(struct rig *r)
{
    *r = (struct rig){.is_done = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->disk, r->loop.top, "disk");
    folder_at(r->image, r->loop.top, "image");
    int fd = open(r->image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK_EQ(ftruncate(fd, 1 << 20), 0);
    (void)close(fd);
    if (om_vm_process_find(r->tool, sizeof r->tool, "qemu-img", NULL) == OM_OK)
        return true;
    print_message("skipped: qemu-img is not installed\n");
    return false;
}

static struct om_vm_disk_config config_of(struct rig *r)
{
    return (struct om_vm_disk_config){.loop = &r->loop.uv,
                                      .qemu_img = r->tool,
                                      .folder = r->loop.top,
                                      .name = "disk",
                                      .image = r->image,
                                      .format = "raw",
                                      .bytes = 8 << 20,
                                      .on_done = on_done,
                                      .self = r};
}

static bool run(struct rig *r, const struct om_vm_disk_config *c)
{
    r->is_done = false;
    return om_vm_disk_start(&r->d, c, &r->err) == OM_OK && loop_until(&r->loop, &r->is_done);
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* What a command says, with the folder as %s. */
static void say(const struct rig *r, const char *line, char *out, size_t size)
{
    char command[512];

    (void)snprintf(command, sizeof command, line, r->loop.top);
    FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own words */
    CHECK(f != NULL);
    out[fread(out, 1, size - 1, f)] = 0;
    (void)pclose(f);
}

OM_TEST(disk_over_an_image_is_sparse_and_as_large_as_asked)
{
    struct rig r;
    char text[4096];
    struct stat st;
    uint64_t size = 0;

    if (!rig_init(&r))
        goto out;
    struct om_vm_disk_config c = config_of(&r);
    OM_TRY(run(&r, &c));
    CHECK_STR(r.why, "");
    CHECK_EQ(stat(r.disk, &st), 0);
    CHECK(st.st_size < 1 << 20);
    CHECK_EQ(st.st_mode & 0777, 0600);
    say(&r, "qemu-img info %s/disk", text, sizeof text);
    CHECK(strstr(text, "virtual size: 8 MiB (8388608 bytes)"));
    CHECK(strstr(text, "/image\n"));
    CHECK(strstr(text, "backing file format: raw"));
    /* It leans on another file: as an image for others it will not do. */
    CHECK_ERR(om_vm_qcow2_size(&size, r.disk, "qcow2", &r.err), OM_E_UNSUPPORTED);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(disk_without_an_image_is_empty)
{
    struct rig r;
    uint64_t size = 0;

    if (!rig_init(&r))
        goto out;
    struct om_vm_disk_config c = config_of(&r);
    c.image = NULL;
    OM_TRY(run(&r, &c));
    CHECK_OK(r.e);
    CHECK_OK(om_vm_qcow2_size(&size, r.disk, "qcow2", &r.err));
    CHECK_EQ(size, 8 << 20);
    c.name = "second"; /* and one over that */
    c.image = r.disk;
    c.format = "qcow2";
    c.bytes = 9 << 20;
    OM_TRY(run(&r, &c));
    CHECK_OK(r.e);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(disk_takes_no_file_that_is_there)
{
    struct rig r;

    if (!rig_init(&r))
        goto out;
    struct om_vm_disk_config c = config_of(&r);
    CHECK_EQ(symlink("/nonexistent/elsewhere", r.disk), 0);
    enum om_err e = om_vm_disk_start(&r.d, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_EXISTS);
    CHECK(is_there(r.disk));
    static const char *const bad[] = {"", "../x", "a/b", ".x", "-x", "nbd:x"};
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        c.name = bad[i];
        CHECK_ERR(om_vm_disk_start(&r.d, &c, &r.err), OM_E_RANGE);
    }
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(disk_is_not_made_where_there_is_no_room)
{
    struct rig r;

    if (!rig_init(&r))
        goto out;
    struct om_vm_disk_config c = config_of(&r);
    c.bytes = 1UL << 52;
    CHECK_ERR(om_vm_disk_start(&r.d, &c, &r.err), OM_E_FULL);
    CHECK(strstr(r.err.msg, "disk full: 4PiB are wanted") == r.err.msg);
    c.bytes = 8 << 20;
    c.spare = 1UL << 52;
    CHECK_ERR(om_vm_disk_start(&r.d, &c, &r.err), OM_E_FULL);
    CHECK(!is_there(r.disk));
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(disk_that_fails_leaves_no_file)
{
    struct rig r;

    (void)rig_init(&r);
    folder_at(r.tool, r.loop.top, "tool");
    struct om_vm_disk_config c = config_of(&r);
    CHECK(qemu_play(r.tool, "echo 'qemu-img: disk: No space left on device'; exit 1"));
    OM_TRY(run(&r, &c));
    CHECK_ERR(r.e, OM_E_FULL);
    CHECK_STR(r.why, "disk full: qemu-img: disk: No space left on device");
    CHECK(!is_there(r.disk));
    CHECK(qemu_play(r.tool, "echo odd; exit 1"));
    OM_TRY(run(&r, &c));
    CHECK_ERR(r.e, OM_E_STATE);
    CHECK_STR(r.why, "qemu-img ended with status 1: odd");
    CHECK(!is_there(r.disk));
    c.qemu_img = "/nonexistent/qemu-img";
    enum om_err e = om_vm_disk_start(&r.d, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK(!is_there(r.disk));
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(disk_cancelled_leaves_nothing)
{
    struct rig r;

    (void)rig_init(&r);
    folder_at(r.tool, r.loop.top, "tool");
    struct om_vm_disk_config c = config_of(&r);
    CHECK(qemu_play(r.tool, "exec sleep 1000"));
    OM_TRY(om_vm_disk_start(&r.d, &c, &r.err) == OM_OK);
    om_vm_disk_cancel(r.d);
    CHECK(!is_there(r.disk));
out:
    CHECK(loop_fini(&r.loop));
    CHECK(!r.is_done);
}

OM_TEST(disk_smaller_than_its_image_is_refused)
{
    struct rig r;

    (void)rig_init(&r);
    struct om_vm_disk_config c = config_of(&r);
    c.bytes = (1 << 20) - 512;
    CHECK_ERR(om_vm_disk_start(&r.d, &c, &r.err), OM_E_RANGE);
    CHECK_STR(r.err.msg, "the disk is smaller than its image: want at least 1MiB");
    CHECK(loop_fini(&r.loop));
}

OM_TEST(disk_over_a_hostile_image_is_refused)
{
    struct rig r;
    char text[1024];

    if (!rig_init(&r))
        goto out;
    say(&r, "cd %s && rm image && qemu-img create -q -f qcow2 -b /etc/passwd -F raw image 1M 2>&1",
        text, sizeof text);
    CHECK_STR(text, "");
    struct om_vm_disk_config c = config_of(&r);
    c.format = "qcow2";
    CHECK_ERR(om_vm_disk_start(&r.d, &c, &r.err), OM_E_UNSUPPORTED);
    CHECK_STR(r.err.msg, "the qcow2 image names another file as its base");
    c.format = "raw"; /* nor under another name */
    CHECK_ERR(om_vm_disk_start(&r.d, &c, &r.err), OM_E_PARSE);
    c.format = "vmdk";
    CHECK_ERR(om_vm_disk_start(&r.d, &c, &r.err), OM_E_RANGE);
    CHECK(!is_there(r.disk));
out:
    CHECK(loop_fini(&r.loop));
}
