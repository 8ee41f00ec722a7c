/* test_secret_file.c - short secrets in files. */
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "host/secret_file.h"

static const uint8_t seed[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
static const uint8_t other[32] = {9, 8, 7};

static unsigned count_files(const char *folder)
{
    unsigned n = 0;
    DIR *d = opendir(folder);

    if (!d)
        return 0;
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += e->d_name[0] != '.';
    CHECK_EQ(closedir(d), 0);
    return n;
}

OM_TEST(secret_round_trips_under_0600)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    uint8_t back[64];
    size_t got = 0;
    struct om_error err;
    struct stat st;

    CHECK(folder_make(top));
    folder_at(path, top, "seed");
    mode_t mask = umask(0277); /* must not matter */
    enum om_err e = om_secret_write(top, "seed", seed, sizeof seed, false, &err);
    (void)umask(mask);
    CHECK_OK(e);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    CHECK_OK(om_secret_read(top, "seed", back, sizeof seed, NULL, &err));
    CHECK_MEM(back, seed, sizeof seed);
    CHECK_OK(om_secret_read(top, "seed", back, sizeof back, &got, &err));
    CHECK_EQ(got, sizeof seed);
    CHECK_EQ(count_files(top), 1);
    CHECK_ERR(om_secret_read(top, "none", back, 32, NULL, &err), OM_E_MISSING);
    CHECK_ERR(om_secret_write("/nonexistent", "seed", seed, 32, false, &err), OM_E_MISSING);
    CHECK_ERR(om_secret_write(top, "../seed", seed, 32, false, &err), OM_E_RANGE);
    CHECK_ERR(om_secret_read(top, "../seed", back, 32, NULL, &err), OM_E_RANGE);
    CHECK_OK(om_secret_write(top, "none", NULL, 0, false, &err)); /* an empty one is one too */
    CHECK_OK(om_secret_read(top, "none", back, 0, NULL, &err));
    folder_remove(top);
}

OM_TEST(secret_is_never_overwritten_unasked)
{
    char top[FOLDER_MAX];
    uint8_t back[32];
    struct om_error err;

    CHECK(folder_make(top));
    CHECK_OK(om_secret_write(top, "seed", seed, sizeof seed, false, &err));
    CHECK_ERR(om_secret_write(top, "seed", other, sizeof other, false, &err), OM_E_EXISTS);
    CHECK(strstr(err.msg, top) && strstr(err.msg, "/seed"));
    CHECK_OK(om_secret_read(top, "seed", back, sizeof back, NULL, &err));
    CHECK_MEM(back, seed, sizeof seed);
    CHECK_EQ(count_files(top), 1);
    folder_remove(top);
}

OM_TEST(secret_replaces_when_asked)
{
    char top[FOLDER_MAX];
    uint8_t back[32];
    struct om_error err;

    CHECK(folder_make(top));
    CHECK_OK(om_secret_write(top, "seed", seed, sizeof seed, true, &err));
    CHECK_OK(om_secret_write(top, "seed", other, sizeof other, true, &err));
    CHECK_OK(om_secret_read(top, "seed", back, sizeof back, NULL, &err));
    CHECK_MEM(back, other, sizeof other);
    CHECK_EQ(count_files(top), 1);
    folder_remove(top);
}

/* The limit stands in for the disk: of 4096 bytes only the first 1000 find room. */
OM_TEST(secret_full_disk_leaves_nothing)
{
    char top[FOLDER_MAX];
    static uint8_t big[4096], back[32];
    struct om_error err;
    struct rlimit old, full;

    CHECK(folder_make(top));
    CHECK_OK(om_secret_write(top, "kept", seed, sizeof seed, false, &err));
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    full = (struct rlimit){.rlim_cur = 1000, .rlim_max = old.rlim_max};
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
    enum om_err fresh = om_secret_write(top, "big", big, sizeof big, false, &err);
    enum om_err again = om_secret_write(top, "kept", big, sizeof big, true, &err);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
    CHECK(signal(SIGXFSZ, before) != SIG_ERR);
    CHECK_ERR(fresh, OM_E_STATE);
    CHECK_ERR(again, OM_E_STATE);
    CHECK(strstr(err.msg, "cannot write") != NULL);
    CHECK_EQ(count_files(top), 1);
    CHECK_OK(om_secret_read(top, "kept", back, sizeof back, NULL, &err));
    CHECK_MEM(back, seed, sizeof seed);
    CHECK_OK(om_secret_write(top, "big", big, sizeof big, false, &err)); /* there is room again */
    folder_remove(top);
}

OM_TEST(secret_that_others_can_read_is_refused)
{
    static const uint8_t zero[32];
    char top[FOLDER_MAX], path[FOLDER_MAX + 16];
    uint8_t back[32];
    struct om_error err;

    CHECK(folder_make(top));
    folder_at(path, top, "seed");
    CHECK_OK(om_secret_write(top, "seed", seed, sizeof seed, false, &err));
    static const mode_t bad[] = {0604, 0640, 0644, 0610};
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        char wanted[FOLDER_MAX + 64];
        memset(back, 7, sizeof back);
        CHECK_EQ(chmod(path, bad[i]), 0);
        CHECK_ERR(om_secret_read(top, "seed", back, sizeof back, NULL, &err), OM_E_STATE);
        CHECK_MEM(back, zero, sizeof back);
        (void)snprintf(wanted, sizeof wanted, "(mode %04o): chmod 600 %s", (unsigned)bad[i], path);
        CHECK(strstr(err.msg, wanted) != NULL);
    }
    CHECK_EQ(chmod(path, 0600), 0);
    CHECK_OK(om_secret_read(top, "seed", back, sizeof back, NULL, &err));
    if (geteuid() == 0) {
        CHECK_EQ(chown(path, 65534, 65534), 0);
        CHECK_ERR(om_secret_read(top, "seed", back, sizeof back, NULL, &err), OM_E_STATE);
        CHECK(strstr(err.msg, "belongs to user 65534") != NULL);
    }
    folder_remove(top);
}

OM_TEST(secret_of_a_wrong_size_is_refused)
{
    char top[FOLDER_MAX];
    uint8_t back[33];
    size_t got = 77;
    struct om_error err;

    CHECK(folder_make(top));
    CHECK_OK(om_secret_write(top, "seed", seed, sizeof seed, false, &err));
    CHECK_ERR(om_secret_read(top, "seed", back, 31, NULL, &err), OM_E_RANGE);
    CHECK_ERR(om_secret_read(top, "seed", back, 31, &got, &err), OM_E_RANGE);
    CHECK_EQ(got, 77);
    CHECK(strstr(err.msg, "has 32 bytes, want at most 31") != NULL);
    CHECK_ERR(om_secret_read(top, "seed", back, 33, NULL, &err), OM_E_RANGE);
    CHECK_OK(om_secret_read(top, "seed", back, 33, &got, &err));
    CHECK_EQ(got, 32);
    folder_remove(top);
}

OM_TEST(secret_follows_no_link)
{
    char top[FOLDER_MAX], path[FOLDER_MAX + 16], draft[FOLDER_MAX + 16];
    uint8_t back[32];
    struct om_error err;

    CHECK(folder_make(top));
    folder_at(path, top, "link");
    folder_at(draft, top, "more.new");
    CHECK_OK(om_secret_write(top, "seed", seed, sizeof seed, false, &err));
    CHECK_EQ(symlink("seed", path), 0);
    CHECK_ERR(om_secret_read(top, "link", back, sizeof back, NULL, &err), OM_E_STATE);
    CHECK_EQ(symlink("seed", draft), 0);
    CHECK_OK(om_secret_write(top, "more", other, sizeof other, false, &err));
    CHECK_OK(om_secret_read(top, "seed", back, sizeof back, NULL, &err));
    CHECK_MEM(back, seed, sizeof seed);
    folder_at(path, top, "pipe");
    CHECK_EQ(mkfifo(path, 0600), 0);
    CHECK_ERR(om_secret_read(top, "pipe", back, sizeof back, NULL, &err), OM_E_STATE);
    CHECK(strstr(err.msg, "want a regular file") != NULL);
    folder_remove(top);
}

OM_TEST(secret_half_written_by_the_dead_is_in_nobodys_way)
{
    char top[FOLDER_MAX], draft[FOLDER_MAX + 16];
    uint8_t back[32];
    struct om_error err;

    CHECK(folder_make(top));
    folder_at(draft, top, "seed.new");
    int fd = open(draft, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, seed, 5) == 5 && close(fd) == 0);
    CHECK_OK(om_secret_write(top, "seed", seed, sizeof seed, false, &err));
    CHECK_OK(om_secret_read(top, "seed", back, sizeof back, NULL, &err));
    CHECK_EQ(count_files(top), 1);
    folder_remove(top);
}
