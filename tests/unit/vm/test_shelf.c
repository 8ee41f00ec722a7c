/* test_shelf.c - images that are there, half there, and too many. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/folder.h"
#include "vm/host/shelf.h"

struct rig {
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    struct om_vm_shelf *s;
    struct om_error err;
    unsigned count;
    char names[256], texts[256];
};

static void rig_init(struct rig *r)
{
    *r = (struct rig){.count = 0};
    CHECK(folder_make(r->top));
    folder_at(r->path, r->top, "images");
}

static enum om_err open_images(struct rig *r)
{
    return om_vm_shelf_open(&r->s, r->path, &r->err);
}

static void rig_fini(struct rig *r)
{
    om_vm_shelf_close(r->s);
    folder_remove(r->top);
}

static void put(const struct rig *r, const char *name, const char *text, size_t n)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", r->path, name);
    CHECK_EQ(mkdir(path, 0700), 0);
    if (!text)
        return;
    (void)snprintf(path, sizeof path, "%s/%s/image.json", r->path, name);
    FILE *f = fopen(path, "we");
    CHECK(f && fwrite(text, 1, n, f) == n);
    CHECK_EQ(fclose(f), 0);
}

static void add(char *to, size_t size, const char *text, size_t n)
{
    size_t have = strlen(to);

    (void)snprintf(to + have, size - have, "%.*s ", (int)n, text);
}

static void on_image(void *self, const char *name, const char *text, size_t n)
{
    struct rig *r = self;

    r->count++;
    add(r->names, sizeof r->names, name, strlen(name));
    add(r->texts, sizeof r->texts, text, n < 8 ? n : 8);
}

static enum om_err read_all(struct rig *r)
{
    r->count = 0;
    r->names[0] = r->texts[0] = 0;
    return om_vm_shelf_each(r->s, on_image, r, &r->err);
}

OM_TEST(shelf_are_listed_by_name)
{
    struct rig r;
    struct stat st;

    rig_init(&r);
    OM_TRY(open_images(&r) == OM_OK);
    CHECK_EQ(stat(r.path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700);
    put(&r, "small", "{\"a\":1}", 7);
    put(&r, "python", "{\"b\":1}", 7);
    put(&r, "debian-12.1", "{}", 2);
    enum om_err e = read_all(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_OK(e);
    CHECK_STR(r.names, "debian-12.1 python small ");
    CHECK_STR(r.texts, "{} {\"b\":1} {\"a\":1} ");
out:
    rig_fini(&r);
}

OM_TEST(shelf_half_made_are_passed_over)
{
    struct rig r;
    char path[256];

    rig_init(&r);
    OM_TRY(open_images(&r) == OM_OK);
    put(&r, "good", "{}", 2);
    put(&r, ".building", "{}", 2);
    put(&r, "no-json", NULL, 0);
    put(&r, "Capital", "{}", 2);
    (void)snprintf(path, sizeof path, "%s/stray", r.path);
    CHECK_EQ(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    enum om_err e = read_all(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_OK(e);
    CHECK_STR(r.names, "good ");
    put(&r, "link", NULL, 0); /* a description that lies elsewhere is none */
    (void)snprintf(path, sizeof path, "%s/link/image.json", r.path);
    CHECK_EQ(symlink("/etc/passwd", path), 0);
    e = read_all(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_RANGE);
    CHECK(strstr(r.err.msg, "/link/image.json") != NULL);
    CHECK_STR(r.names, "good ");
out:
    rig_fini(&r);
}

OM_TEST(shelf_lock_keeps_a_second_out)
{
    struct rig r;
    struct om_vm_shelf *other = NULL;

    rig_init(&r);
    OM_TRY(open_images(&r) == OM_OK);
    OM_TRY(om_vm_shelf_open(&other, r.path, &r.err) == OM_OK);
    CHECK_OK(om_vm_shelf_lock(r.s, false));
    CHECK_OK(om_vm_shelf_lock(other, false)); /* readers together */
    CHECK_ERR(om_vm_shelf_lock(other, true), OM_E_BUSY);
    om_vm_shelf_unlock(r.s);
    CHECK_OK(om_vm_shelf_lock(other, true));
    CHECK_ERR(om_vm_shelf_lock(r.s, false), OM_E_BUSY);
    CHECK_ERR(om_vm_shelf_lock(r.s, true), OM_E_BUSY);
    om_vm_shelf_unlock(other);
    CHECK_OK(om_vm_shelf_lock(r.s, true));
out:
    om_vm_shelf_close(other);
    rig_fini(&r);
}

OM_TEST(shelf_lock_of_the_dead_is_free)
{
    struct rig r;
    int status = 0;

    rig_init(&r);
    pid_t child = fork();
    if (child == 0) {
        enum om_err e = open_images(&r);
        if (e == OM_OK && om_vm_shelf_lock(r.s, true) == OM_OK)
            (void)raise(SIGKILL);
        _exit(e == OM_E_NO_MEM ? 9 : 8);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
        goto out; /* it was the child that had no memory */
    CHECK(WIFSIGNALED(status));
    OM_TRY(open_images(&r) == OM_OK);
    CHECK_OK(om_vm_shelf_lock(r.s, true));
out:
    rig_fini(&r);
}

OM_TEST(shelf_in_a_folder_of_others_are_refused)
{
    struct rig r;

    rig_init(&r);
    CHECK_EQ(mkdir(r.path, 0700), 0);
    CHECK_EQ(chmod(r.path, 0777), 0);
    enum om_err e = open_images(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_STATE);
    CHECK(strstr(r.err.msg, "chmod go-w") != NULL);
    CHECK_EQ(chmod(r.path, 0755), 0);
    OM_TRY(open_images(&r) == OM_OK);
out:
    rig_fini(&r);
}

OM_TEST(shelf_are_bounded)
{
    static char huge[OM_VM_SHELF_JSON_MAX + 1];
    struct rig r;
    char name[16];

    memset(huge, ' ', sizeof huge);
    rig_init(&r);
    OM_TRY(open_images(&r) == OM_OK);
    put(&r, "exact", huge, OM_VM_SHELF_JSON_MAX);
    enum om_err e = read_all(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_OK(e);
    CHECK_EQ(r.count, 1);
    put(&r, "huge", huge, sizeof huge);
    e = read_all(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_RANGE);
    CHECK_EQ(r.count, 1);
    for (int i = 0; i < OM_VM_SHELF_MAX; i++) {
        (void)snprintf(name, sizeof name, "a%03d", i);
        put(&r, name, "{}", 2);
    }
    e = read_all(&r);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_FULL);
    CHECK_EQ(r.count, OM_VM_SHELF_MAX);
    CHECK(!om_vm_shelf_is_name("..") && !om_vm_shelf_is_name("a/b"));
    CHECK(!om_vm_shelf_is_name("") && !om_vm_shelf_is_name("-x"));
out:
    rig_fini(&r);
}
