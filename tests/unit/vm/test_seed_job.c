/* test_seed_job.c - seeds are written by a child, and read back by programs of others. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "vm/host/seed_job.h"

static const char nasty[] =
    "#cloud-config\n{\"a\": \"\x01 ' \\\" $(reboot) \\u0000 \xc3\xa4\"}\n---\n";

struct rig {
    struct loop loop;
    char image[FOLDER_MAX + 16];
    struct om_vm_seed_job *j;
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

static void rig_init(struct rig *r)
{
    *r = (struct rig){.is_done = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->image, r->loop.top, "seed.iso");
}

static enum om_err start(struct rig *r, const char *const *argv, const struct om_vm_iso_file *files,
                         size_t count)
{
    static const char *const helper[] = {OM_VM_HELPER, "--make-seed", NULL};
    struct om_vm_seed_job_config c = {.loop = &r->loop.uv,
                                      .argv = argv ? argv : helper,
                                      .folder = r->loop.top,
                                      .name = "seed.iso",
                                      .files = files,
                                      .count = count,
                                      .on_done = on_done,
                                      .self = r};

    r->is_done = false;
    return om_vm_seed_job_start(&r->j, &c, &r->err);
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* What the program @line says, with the image as $1 and the file as $2. */
static size_t read_back(const char *line, const char *image, const char *name, char *out,
                        size_t size)
{
    char command[512];

    (void)snprintf(command, sizeof command, line, image, name);
    FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own words */
    size_t n = f ? fread(out, 1, size - 1, f) : 0;
    out[n] = 0;
    return f && pclose(f) == 0 ? n : 0;
}

OM_TEST(seed_is_written_by_a_child)
{
    static const struct om_vm_iso_file files[] = {
        {"user-data", nasty, sizeof nasty - 1}, {"meta-data", "{}", 2}, {"network-config", "", 0}};
    struct rig r;
    char text[1024];
    struct stat st;

    rig_init(&r);
    OM_TRY(start(&r, NULL, files, OM_ARRAY_SIZE(files)) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_STR(r.why, "");
    CHECK_OK(r.e);
    CHECK_EQ(stat(r.image, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    CHECK_EQ(st.st_size % 2048, 0);
    print_message("image: %ld bytes\n", (long)st.st_size);
    size_t n = read_back("bsdtar -xOf %s %s", r.image, "user-data", text, sizeof text);
    CHECK_EQ(n, sizeof nasty - 1);
    CHECK_MEM(text, nasty, n);
    CHECK(read_back("bsdtar -tf %s", r.image, "", text, sizeof text) > 0);
    CHECK(strstr(text, "meta-data\n") && strstr(text, "network-config\n"));
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(iso_is_read_back_by_others)
{
    static const struct om_vm_iso_file files[] = {{"user-data", "one", 3},
                                                  {"a-long.name_2", "", 0}};
    struct rig r;
    char text[1024];

    rig_init(&r);
    int fd = open(r.image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_OK(om_vm_iso_write(fd, "cidata", files, OM_ARRAY_SIZE(files), &r.err));
    (void)close(fd);
    if (read_back("isoinfo -d -i %s 2>/dev/null", r.image, "", text, sizeof text) == 0) {
        print_message("skipped: isoinfo is not installed\n");
        goto out;
    }
    CHECK(strstr(text, "Volume id: CIDATA\n") || strstr(text, "Volume id: cidata\n"));
    CHECK(strstr(text, "Joliet with UCS level 3"));
    CHECK(strstr(text, "Rock Ridge signatures version 1 found"));
    CHECK(read_back("isoinfo -R -f -i %s", r.image, "", text, sizeof text) > 0);
    CHECK(strstr(text, "/user-data\n") && strstr(text, "/a-long.name_2\n"));
    CHECK(read_back("isoinfo -J -f -i %s", r.image, "", text, sizeof text) > 0);
    CHECK(strstr(text, "/user-data\n") && strstr(text, "/a-long.name_2\n"));
    CHECK(read_back("isoinfo -R -i %s -x /user-data", r.image, "", text, sizeof text) == 3);
    CHECK_STR(text, "one");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(iso_takes_any_bytes)
{
    static unsigned char all[OM_VM_ISO_BYTES];
    static char back[OM_VM_ISO_BYTES + 1];
    struct rig r;

    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)(i * 7 + i / 251);
    rig_init(&r);
    const struct om_vm_iso_file files[] = {{"x", all, sizeof all}};
    const struct om_vm_iso_file more[] = {{"x", all, sizeof all}, {"y", all, 1}};
    int fd = open(r.image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_ERR(om_vm_iso_write(fd, "cidata", more, 2, &r.err), OM_E_RANGE);
    CHECK_OK(om_vm_iso_write(fd, "cidata", files, 1, &r.err));
    (void)close(fd);
    CHECK_EQ(read_back("bsdtar -xOf %s %s", r.image, "x", back, sizeof back), sizeof all);
    CHECK_MEM(back, all, sizeof all);
    fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CHECK_ERR(om_vm_iso_write(fd, "cidata", files, 1, &r.err), OM_E_FULL);
    CHECK_STR(r.err.msg, "cannot write the image: disk full");
    (void)close(fd);
    CHECK(loop_fini(&r.loop));
}

OM_TEST(iso_refuses_names_with_a_way_out)
{
    static const char *const bad[] = {"",    ".",    "..",   "a/b", "../a",     "/a",  ".a",
                                      "a b", "a\nb", "a\\b", "a;1", "\xc3\xa4", "a:b", "*"};
    char longest[OM_VM_ISO_NAME_MAX + 1];

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(!om_vm_iso_is_name(bad[i]));
    memset(longest, 'a', OM_VM_ISO_NAME_MAX);
    longest[OM_VM_ISO_NAME_MAX] = 0;
    CHECK(!om_vm_iso_is_name(longest));
    longest[OM_VM_ISO_NAME_MAX - 1] = 0;
    CHECK(om_vm_iso_is_name(longest));
    CHECK(om_vm_iso_is_name("user-data"));
    const struct om_vm_iso_file file = {"x", "", 0};
    CHECK_ERR(om_vm_iso_write(-1, "ci data", &file, 1, NULL), OM_E_RANGE);
    CHECK_ERR(om_vm_iso_write(-1, "", &file, 1, NULL), OM_E_RANGE);
}

OM_TEST(seed_takes_no_file_that_is_there)
{
    static const struct om_vm_iso_file file = {"user-data", "x", 1};
    struct rig r;

    rig_init(&r);
    CHECK_EQ(symlink("/nonexistent/elsewhere", r.image), 0);
    enum om_err e = start(&r, NULL, &file, 1);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_EXISTS);
    CHECK(is_there(r.image)); /* not ours to remove */
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(seed_that_fails_leaves_no_file)
{
    static const char *const full[] = {"/bin/sh", "-c", "echo disk full >&2; exit 1", NULL};
    static const char *const absent[] = {"/nonexistent/program", NULL};
    static const struct om_vm_iso_file file = {"user-data", "x", 1};
    static const struct om_vm_iso_file latin = {"user-data", "\xe4", 1};
    struct rig r;

    rig_init(&r);
    OM_TRY(start(&r, full, &file, 1) == OM_OK);
    CHECK(is_there(r.image));
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_ERR(r.e, OM_E_FULL);
    CHECK_STR(r.why, "the writer of the seed ended with status 1: disk full");
    CHECK(!is_there(r.image));
    enum om_err e = start(&r, absent, &file, 1);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    CHECK(!is_there(r.image));
    e = start(&r, NULL, &latin, 1);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_RANGE);
    CHECK(!is_there(r.image));
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(seed_with_a_bad_name_is_refused)
{
    static const struct om_vm_iso_file file = {"../user-data", "x", 1};
    struct rig r;

    rig_init(&r);
    CHECK_ERR(start(&r, NULL, &file, 1), OM_E_RANGE);
    CHECK(!is_there(r.image));
    CHECK(loop_fini(&r.loop));
}

OM_TEST(seed_child_refuses_nonsense)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{\"volume\":\"cidata\",\"files\":{}}",
                                      "{\"volume\":\"cidata\",\"files\":{\"a/b\":\"\"}}",
                                      "{\"volume\":\"cidata\",\"files\":{\"a\":1}}",
                                      "{\"volume\":\"cidata\",\"files\":{\"a\":\"\",\"a\":\"\"}}",
                                      "{\"volume\":\"cidata\",\"files\":{\"a\":\"\"},\"more\":1}"};
    static const char good[] = "{\"volume\":\"cidata\",\"files\":{\"a\":\"\"}}";
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

    for (size_t i = 0; i <= OM_ARRAY_SIZE(bad); i++) {
        const char *text = i < OM_ARRAY_SIZE(bad) ? bad[i] : good;
        int in = memfd_create("in", MFD_CLOEXEC);
        CHECK_EQ(write(in, text, strlen(text)), strlen(text));
        CHECK_EQ(lseek(in, 0, SEEK_SET), 0);
        CHECK_EQ(om_vm_seed_serve(in, out), i < OM_ARRAY_SIZE(bad));
        (void)close(in);
    }
    (void)close(out);
}

OM_TEST(seed_cancelled_leaves_nothing)
{
    static const char *const slow[] = {"/bin/sleep", "1000", NULL};
    static const struct om_vm_iso_file file = {"user-data", "x", 1};
    struct rig r;

    rig_init(&r);
    OM_TRY(start(&r, slow, &file, 1) == OM_OK);
    om_vm_seed_job_cancel(r.j);
    CHECK(!is_there(r.image));
out:
    CHECK(loop_fini(&r.loop));
    CHECK(!r.is_done);
}
