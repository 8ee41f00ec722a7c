/* test_guest_file.c - a file is there whole, or not at all. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/guest/file.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[2][256];
    static unsigned which;

    which = !which;
    (void)snprintf(path[which], sizeof path[which], "%s/%s", folder, name);
    return path[which];
}

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/om-guest-file.XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

OM_TEST(file_is_there_whole_or_not_at_all)
{
    struct guest_file f;
    struct stat st;

    make_folder();
    CHECK(guest_file_begin(&f, in_folder("a/b"), 0750));
    guest_file_add(&f, om_bytes("one", 3));
    CHECK(access(in_folder("a/b"), F_OK) != 0);
    guest_file_add(&f, om_bytes("two", 3));
    CHECK(guest_file_end(&f));
    CHECK(stat(in_folder("a/b"), &st) == 0 && st.st_size == 6 && (st.st_mode & 07777) == 0750);

    CHECK(guest_file_begin(&f, in_folder("a/b"), 0600));
    guest_file_add(&f, om_bytes("x", 1));
    guest_file_drop(&f);
    guest_file_drop(&f);
    CHECK(stat(in_folder("a/b"), &st) == 0 && st.st_size == 6);
    CHECK(access(in_folder("a/b.part"), F_OK) != 0);
    (void)unlink(in_folder("a/b"));
    (void)rmdir(in_folder("a"));
    (void)rmdir(folder);
}

OM_TEST(file_has_no_place_or_no_room)
{
    struct guest_file f;

    make_folder();
    CHECK(!guest_file_begin(&f, "", 0644));
    CHECK(!guest_file_begin(&f, "/proc/x", 0644));
    /* Where a folder is no file comes. */
    CHECK_EQ(mkdir(in_folder("there"), 0700), 0);
    CHECK(guest_file_begin(&f, in_folder("there"), 0644));
    CHECK(!guest_file_end(&f));
    CHECK(access(in_folder("there.part"), F_OK) != 0);
    /* A device that is always full. */
    CHECK_EQ(symlink("/dev/full", in_folder("full.part")), 0);
    CHECK(guest_file_begin(&f, in_folder("full"), 0644));
    guest_file_add(&f, om_bytes("x", 1));
    CHECK(!guest_file_end(&f));
    CHECK(access(in_folder("full"), F_OK) != 0);
    (void)rmdir(in_folder("there"));
    (void)rmdir(folder);
}
