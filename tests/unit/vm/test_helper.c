/* test_helper.c - which words make a helper. */
#include "harness.h"

#include "vm/host/helper.h"

OM_TEST(helper_takes_only_its_own_words)
{
    char program[] = "omerta-meshd", spawner[] = "--vm-spawner", seed[] = "--make-seed",
         home[] = "--home", more[] = "more";
    char *alone[] = {program, NULL};
    char *daemon[] = {program, home, seed, NULL};
    char *helper[] = {program, seed, NULL};
    char *wrong[] = {program, seed, more, NULL};
    char *crowd[] = {program, spawner, more, more, more, more, more, more, more, more, more, NULL};

    CHECK(!om_vm_helper_wanted(1, alone));
    CHECK(!om_vm_helper_wanted(3, daemon));
    CHECK(om_vm_helper_wanted(2, helper));
    CHECK(om_vm_helper_wanted(11, crowd));
    CHECK_EQ(om_vm_helper_run(3, wrong), 2);
    CHECK_EQ(om_vm_helper_run(11, crowd), 2);
}
