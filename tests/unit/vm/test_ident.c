/* test_ident.c - two looks at a process agree, looks at two processes do not. */
#include "harness.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/folder.h"

#include "vm/host/ident.h"

OM_TEST(ident_of_a_process_is_stable)
{
    struct om_vm_ident a, b;

    CHECK_OK(om_vm_ident_of(&a, getpid(), NULL));
    CHECK_OK(om_vm_ident_of(&b, getpid(), NULL));
    CHECK(om_vm_ident_equal(&a, &b));
    CHECK_EQ(a.pid, getpid());
    CHECK(a.start > 0);
}

OM_TEST(ident_tells_two_processes_apart)
{
    struct om_vm_ident a, b;

    CHECK_OK(om_vm_ident_of(&a, getpid(), NULL));
    CHECK_OK(om_vm_ident_of(&b, 1, NULL));
    CHECK(!om_vm_ident_equal(&a, &b));
    b = a;
    b.start++;
    CHECK(!om_vm_ident_equal(&a, &b));
    b = a;
    b.boot[3] ^= 1;
    CHECK(!om_vm_ident_equal(&a, &b));
}

OM_TEST(ident_of_nobody_is_missing)
{
    struct om_vm_ident a;
    struct om_error err;

    CHECK_ERR(om_vm_ident_of(&a, 0, &err), OM_E_MISSING);
    CHECK_ERR(om_vm_ident_of(&a, -5, &err), OM_E_MISSING);
    CHECK_ERR(om_vm_ident_of(&a, INT32_MAX, &err), OM_E_MISSING);
}

struct seen {
    unsigned count;
    struct om_vm_ident last;
};

static void on_who(void *self, const struct om_vm_ident *who)
{
    struct seen *s = self;

    s->count++;
    s->last = *who;
}

OM_TEST(ident_finds_who_is_in_a_folder)
{
    char top[FOLDER_MAX], byte = 0;
    struct seen seen = {.count = 0};
    int ready[2];

    CHECK(folder_make(top));
    CHECK_EQ(pipe(ready), 0);
    CHECK_OK(om_vm_ident_in(top, on_who, &seen, NULL));
    CHECK_EQ(seen.count, 0);
    pid_t child = fork();
    if (child == 0) {
        if (chdir(top) == 0 && write(ready[1], "x", 1) == 1)
            (void)pause();
        _exit(1);
    }
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    CHECK_OK(om_vm_ident_in(top, on_who, &seen, NULL));
    CHECK_EQ(kill(child, SIGKILL), 0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_EQ(seen.count, 1);
    CHECK_EQ(seen.last.pid, child);
    CHECK_OK(om_vm_ident_in(top, on_who, &seen, NULL));
    CHECK_OK(om_vm_ident_in("/nonexistent", on_who, &seen, NULL));
    CHECK_EQ(seen.count, 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    folder_remove(top);
}
