/* test_secrets.c - what a home has that nobody else may have. */
#include "harness.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "secrets.h"

static bool read_file(const char *folder, const char *name, char *out, size_t size)
{
    char path[300];
    size_t n = 0;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    if (f) {
        n = fread(out, 1, size - 1, f);
        (void)fclose(f);
    }
    out[n] = 0;
    return f != NULL;
}

static unsigned backups(const char *folder)
{
    DIR *d = opendir(folder);
    unsigned n = 0;

    for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
        n += strstr(e->d_name, ".backup-") != NULL;
    if (d)
        (void)closedir(d);
    return n;
}

static bool has_ssh_keygen(void)
{
    return access("/usr/bin/ssh-keygen", X_OK) == 0;
}

OM_TEST(secrets_seed_is_made_once)
{
    char folder[FOLDER_MAX];
    struct om_home *home;
    struct om_error err;
    struct stat st;
    char path[300];

    CHECK(folder_make(folder));
    if (om_home_open(&home, folder, false, &err) == OM_OK) {
        uint8_t *first = secrets_seed(home, &err), *again = first ? secrets_seed(home, &err) : NULL;
        if (first && again) {
            CHECK_MEM(first, again, OM_SEED_BYTES);
            (void)snprintf(path, sizeof path, "%s/identity/seed", folder);
            CHECK_EQ(stat(path, &st), 0);
            CHECK_EQ(st.st_mode & 0777, 0600);
            CHECK_EQ(st.st_size, OM_SEED_BYTES);
            CHECK(!sodium_is_zero(first, OM_SEED_BYTES));
        }
        sodium_free(first);
        sodium_free(again);
        om_home_close(home);
    }
    folder_remove(folder);
}

OM_TEST(secrets_seed_is_read_beside_a_daemon)
{
    char folder[FOLDER_MAX];
    struct om_home *home;
    struct om_error err;

    CHECK(folder_make(folder));
    CHECK(secrets_read_seed(folder, &err) == NULL); /* there is none yet */
    if (om_home_open(&home, folder, false, &err) == OM_OK) {
        uint8_t *made = secrets_seed(home, &err);
        uint8_t *seen = made ? secrets_read_seed(folder, &err) : NULL; /* the lock is held */
        if (made && seen)
            CHECK_MEM(made, seen, OM_SEED_BYTES);
        sodium_free(made);
        sodium_free(seen);
        om_home_close(home);
    }
    folder_remove(folder);
}

OM_TEST(secrets_that_others_could_read_are_named)
{
    static const char *const names[] = {"seed", "local.key", "id_ed25519"};
    static const char *const folders[] = {"identity", "", "ssh"};
    char folder[FOLDER_MAX], path[FOLDER_MAX + 64];
    struct om_error err;

    CHECK(folder_make(folder));
    CHECK_OK(secrets_check(folder, &err)); /* nothing is there */
    for (unsigned i = 0; i < OM_ARRAY_SIZE(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        CHECK(mkdir(path, 0700) == 0 || !*folders[i]);
        (void)snprintf(path, sizeof path, "%s/%s/%s", folder, folders[i], names[i]);
        FILE *f = fopen(path, "we");
        CHECK(f != NULL);
        if (f)
            (void)fclose(f);
        CHECK_EQ(chmod(path, 0640), 0);
        CHECK_EQ(secrets_check(folder, &err), OM_E_STATE);
        CHECK(strstr(err.msg, names[i]) && strstr(err.msg, "0640"));
        CHECK_EQ(chmod(path, 0600), 0);
        CHECK_OK(secrets_check(folder, &err));
    }
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(mkdir(path, 0700), 0);
    CHECK_EQ(secrets_check(folder, &err), OM_E_STATE);
    folder_remove(folder);
}

OM_TEST(secrets_init_is_idempotent)
{
    char folder[FOLDER_MAX], key[100], same[100], ssh[200];
    FILE *said = fopen("/dev/null", "we");
    struct om_home *home;
    struct om_error err;

    if (!has_ssh_keygen() || !said)
        skip();
    CHECK(folder_make(folder));
    CHECK_OK(om_home_open(&home, folder, false, &err));
    CHECK_OK(secrets_init(home, false, said, &err));
    CHECK(read_file(folder, "local.key", key, sizeof key));
    CHECK_EQ(strlen(key), 65);
    CHECK_EQ(strspn(key, "0123456789abcdef"), 64);
    CHECK(read_file(folder, "ssh/id_ed25519.pub", ssh, sizeof ssh));
    CHECK(strncmp(ssh, "ssh-ed25519 ", 12) == 0);
    CHECK(read_file(folder, "config.json", same, sizeof same));
    CHECK_OK(secrets_init(home, false, said, &err));
    CHECK(read_file(folder, "local.key", same, sizeof same));
    CHECK_STR(same, key);
    CHECK_EQ(backups(folder), 0);
    om_home_close(home);
    (void)fclose(said);
    folder_remove(folder);
}

OM_TEST(secrets_init_force_keeps_a_backup)
{
    char folder[FOLDER_MAX], key[100], other[100];
    FILE *said = fopen("/dev/null", "we");
    struct om_home *home;
    struct om_error err;

    if (!has_ssh_keygen() || !said)
        skip();
    CHECK(folder_make(folder));
    CHECK_OK(om_home_open(&home, folder, false, &err));
    CHECK_OK(secrets_init(home, false, said, &err));
    CHECK(read_file(folder, "local.key", key, sizeof key));
    CHECK_OK(secrets_init(home, true, said, &err));
    CHECK(read_file(folder, "local.key", other, sizeof other));
    CHECK(strcmp(key, other) != 0);
    CHECK_EQ(backups(folder), 2); /* config.json and local.key; the others in their folders */
    om_home_close(home);
    (void)fclose(said);
    folder_remove(folder);
}

OM_TEST(secrets_init_that_fails_puts_back_what_was_there)
{
    char folder[FOLDER_MAX], in_folder[FOLDER_MAX + 16], moved[FOLDER_MAX + 16];
    char key[100], seed[100], other[100];
    FILE *said = fopen("/dev/null", "we"), *in_the_way;
    struct om_home *home;
    struct om_error err;

    if (!has_ssh_keygen() || !said)
        skip();
    CHECK(folder_make(folder));
    CHECK_OK(om_home_open(&home, folder, false, &err));
    CHECK_OK(secrets_init(home, false, said, &err));
    CHECK(read_file(folder, "local.key", key, sizeof key));
    CHECK(read_file(folder, "identity/seed", seed, sizeof seed));
    /* The SSH key, which is made last, finds no folder. */
    (void)snprintf(in_folder, sizeof in_folder, "%s/ssh", folder);
    (void)snprintf(moved, sizeof moved, "%s/was", folder);
    CHECK_EQ(rename(in_folder, moved), 0);
    in_the_way = fopen(in_folder, "we");
    CHECK(in_the_way != NULL);
    CHECK_EQ(fclose(in_the_way), 0);
    CHECK(secrets_init(home, true, said, &err) != OM_OK);
    CHECK(read_file(folder, "local.key", other, sizeof other));
    CHECK_STR(other, key);
    CHECK(read_file(folder, "identity/seed", other, sizeof other));
    CHECK_MEM(other, seed, 32);
    CHECK(read_file(folder, "config.json", other, sizeof other));
    CHECK_EQ(backups(folder), 0);
    /* The control: with the folder it is all made anew. */
    CHECK_EQ(unlink(in_folder), 0);
    CHECK_EQ(rename(moved, in_folder), 0);
    CHECK_OK(secrets_init(home, true, said, &err));
    CHECK(read_file(folder, "local.key", other, sizeof other));
    CHECK(strcmp(key, other) != 0);
    om_home_close(home);
    (void)fclose(said);
    folder_remove(folder);
}
