/* helper.c - what the daemon's program is to its children. */
#include <stdio.h>

#include "vm/host/helper.h"

int main(int argc, char **argv)
{
    if (om_vm_helper_wanted(argc, argv))
        return om_vm_helper_run(argc, argv);
    (void)fputs("helper: want --vm-spawner or --make-seed\n", stderr);
    return 2;
}
