/* test_wipe.c - folders that go, and what they point to stays. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/folder.h"
#include "vm/host/wipe.h"

struct rig {
    char top[FOLDER_MAX], vm[FOLDER_MAX + 16];
};

static void rig_init(struct rig *r)
{
    CHECK(folder_make(r->top));
    folder_at(r->vm, r->top, "vm");
    CHECK_EQ(mkdir(r->vm, 0700), 0);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    CHECK(f != NULL);
    (void)fputs(text, f);
    CHECK_EQ(fclose(f), 0);
}

OM_TEST(wipe_overwrites_before_it_removes)
{
    struct rig r;
    char seed[128], other[128], text[16] = {0};

    rig_init(&r);
    put(r.vm, "seed", "secret key");
    (void)snprintf(seed, sizeof seed, "%s/seed", r.vm);
    (void)snprintf(other, sizeof other, "%s/other", r.top);
    CHECK_EQ(link(seed, other), 0); /* a second name shows what became of the blocks */
    CHECK_OK(om_vm_wipe(r.vm, NULL));
    CHECK(access(r.vm, F_OK) != 0);
    int fd = open(other, O_RDONLY);
    CHECK_EQ(read(fd, text, sizeof text), 10);
    CHECK_MEM(text, "\0\0\0\0\0\0\0\0\0\0", 10);
    (void)close(fd);
    folder_remove(r.top);
}

OM_TEST(wipe_follows_no_link)
{
    struct rig r;
    char path[128];

    rig_init(&r);
    put(r.top, "precious", "gold");
    (void)snprintf(path, sizeof path, "%s/link", r.vm);
    CHECK_EQ(symlink("../precious", path), 0);
    (void)snprintf(path, sizeof path, "%s/up", r.vm);
    CHECK_EQ(symlink("..", path), 0);
    CHECK_OK(om_vm_wipe(r.vm, NULL));
    (void)snprintf(path, sizeof path, "%s/precious", r.top);
    struct stat st;
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_size, 4);
    CHECK_EQ(symlink(r.top, r.vm), 0); /* the folder itself is a link */
    CHECK_ERR(om_vm_wipe(r.vm, NULL), OM_E_STATE);
    CHECK_EQ(stat(path, &st), 0);
    folder_remove(r.top);
}

OM_TEST(wipe_takes_folders_below)
{
    struct rig r;
    char path[256];
    struct om_error err;

    rig_init(&r);
    (void)snprintf(path, sizeof path, "%s", r.vm);
    for (int i = 0; i < OM_VM_WIPE_DEPTH; i++) {
        size_t n = strlen(path);
        (void)snprintf(path + n, sizeof path - n, "/d");
        CHECK_EQ(mkdir(path, 0700), 0);
        put(path, "file", "x");
    }
    CHECK_OK(om_vm_wipe(r.vm, &err));
    CHECK(access(r.vm, F_OK) != 0);
    folder_remove(r.top);
}

OM_TEST(wipe_of_what_is_gone_is_fine)
{
    CHECK_OK(om_vm_wipe("/nonexistent/folder", NULL));
}

OM_TEST(wipe_is_only_for_folders_of_ours)
{
    struct rig r;
    struct om_error err;

    rig_init(&r);
    CHECK_EQ(chmod(r.vm, 0755), 0);
    CHECK_ERR(om_vm_wipe(r.vm, &err), OM_E_STATE);
    CHECK(strstr(err.msg, "is not this user's alone") != NULL);
    CHECK_EQ(chmod(r.vm, 0700), 0);
    CHECK_OK(om_vm_wipe(r.vm, &err));
    folder_remove(r.top);
}
