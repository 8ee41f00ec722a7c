/* test_ident.c - two looks at a process agree, looks at two processes do not. */
#include "harness.h"

#include <unistd.h>

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
