/* test_digest.c - hashes of files, against the standard's own and another program's. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "vm/host/digest.h"

struct rig {
    struct loop loop;
    char path[FOLDER_MAX + 16];
    struct om_vm_digest *d;
    struct om_vm_digest_done done;
    bool is_done, change_on_progress;
    unsigned steps;
    uint64_t last, all;
    struct om_error err;
};

static void on_progress(void *self, uint64_t bytes, uint64_t all)
{
    struct rig *r = self;

    CHECK(bytes >= r->last);
    r->last = bytes;
    r->all = all;
    r->steps++;
    if (r->change_on_progress) {
        int fd = open(r->path, O_WRONLY | O_CLOEXEC);
        CHECK_EQ(pwrite(fd, "!", 1, 0), 1);
        (void)close(fd);
        r->change_on_progress = false;
    }
}

static void on_done(void *self, const struct om_vm_digest_done *done)
{
    struct rig *r = self;

    r->done = *done;
    r->is_done = true;
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){.is_done = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->path, r->loop.top, "file");
}

static enum om_err start(struct rig *r)
{
    struct om_vm_digest_config c = {&r->loop.uv, r->path, on_progress, on_done, r};

    r->is_done = false;
    r->last = r->steps = 0;
    return om_vm_digest_start(&r->d, &c, &r->err);
}

static void put(const struct rig *r, const char *text, size_t n)
{
    int fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK_EQ(write(fd, text, n), (ssize_t)n);
    (void)close(fd);
}

OM_TEST(digest_meets_the_standard)
{
    struct rig r;

    rig_init(&r);
    put(&r, "abc", 3); /* the first example of FIPS 180-4 */
    OM_TRY(start(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_OK(r.done.e);
    CHECK_STR(r.done.text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    put(&r, "", 0);
    OM_TRY(start(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_STR(r.done.text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
out:
    CHECK(loop_fini(&r.loop));
}

static void make_large(const struct rig *r)
{
    put(r, "start", 5);
    CHECK_EQ(truncate(r->path, 2 * OM_VM_DIGEST_PIECE + 12345), 0);
}

OM_TEST(digest_of_a_file_larger_than_a_piece)
{
    struct rig r;
    char command[256], text[128] = "";

    rig_init(&r);
    make_large(&r);
    OM_TRY(start(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    (void)snprintf(command, sizeof command, "sha256sum <%s", r.path);
    FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own words */
    CHECK(f && fgets(text, sizeof text, f));
    (void)pclose(f);
    CHECK(strncmp(text, r.done.text, 64) == 0);
    struct om_vm_stamp now;
    CHECK_OK(om_vm_stamp_at(&now, r.path, NULL));
    CHECK(om_vm_stamp_equal(&now, &r.done.stamp));
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(digest_tells_how_far_it_is)
{
    struct rig r;

    rig_init(&r);
    make_large(&r);
    OM_TRY(start(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_EQ(r.steps, 3);
    CHECK_EQ(r.last, 2 * OM_VM_DIGEST_PIECE + 12345);
    CHECK_EQ(r.all, r.last);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(digest_of_a_file_that_changes_is_refused)
{
    struct rig r;

    rig_init(&r);
    make_large(&r);
    r.change_on_progress = true;
    OM_TRY(start(&r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_ERR(r.done.e, OM_E_BUSY);
    CHECK_STR(r.done.why, "the file changed while it was read");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(digest_of_what_cannot_be_read_fails)
{
    struct rig r;

    rig_init(&r);
    enum om_err e = start(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK_EQ(symlink("/etc/passwd", r.path), 0);
    e = start(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_STATE);
    CHECK_EQ(unlink(r.path), 0);
    CHECK_EQ(mkdir(r.path, 0700), 0);
    e = start(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_STATE);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(digest_cancelled_leaves_nothing)
{
    struct rig r;

    rig_init(&r);
    make_large(&r);
    OM_TRY(start(&r) == OM_OK);
    om_vm_digest_cancel(r.d);
    OM_TRY(start(&r) == OM_OK);
    (void)uv_run(&r.loop.uv, UV_RUN_ONCE);
    om_vm_digest_cancel(r.d);
out:
    CHECK(loop_fini(&r.loop));
    CHECK(!r.is_done);
}

OM_TEST(stamp_changes_with_the_file)
{
    struct rig r;
    struct om_vm_stamp a, b;

    rig_init(&r);
    put(&r, "abc", 3);
    CHECK_OK(om_vm_stamp_at(&a, r.path, NULL));
    CHECK_OK(om_vm_stamp_at(&b, r.path, NULL));
    CHECK(om_vm_stamp_equal(&a, &b));
    put(&r, "abcd", 4);
    CHECK_OK(om_vm_stamp_at(&b, r.path, NULL));
    CHECK(!om_vm_stamp_equal(&a, &b));
    CHECK(loop_fini(&r.loop));
}

OM_TEST(stamp_of_no_file_is_refused)
{
    struct om_vm_stamp a;

    CHECK_ERR(om_vm_stamp_at(&a, "/nonexistent", NULL), OM_E_MISSING);
    CHECK_ERR(om_vm_stamp_at(&a, "/", NULL), OM_E_STATE);
    CHECK_ERR(om_vm_stamp_at(&a, "/dev/null", NULL), OM_E_STATE);
    CHECK_ERR(om_vm_stamp_of(&a, -1), OM_E_STATE);
}
