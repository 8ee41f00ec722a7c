/* helper.c - two words of a command line. */
#include "helper.h"

#include <string.h>

#include "seed_job.h"
#include "spawner.h"

static const char spawner[] = "--vm-spawner", seed[] = "--make-seed";

enum { WRONG_USAGE = 2 };

bool om_vm_helper_wanted(int argc, char *const *argv)
{
    return argc >= 2 && (strcmp(argv[1], spawner) == 0 || strcmp(argv[1], seed) == 0);
}

int om_vm_helper_run(int argc, char *const *argv)
{
    const char *programs[OM_VM_HELPER_PROGRAMS_MAX + 1] = {NULL};

    if (strcmp(argv[1], seed) == 0)
        return argc == 2 ? om_vm_seed_serve(0, 1) : WRONG_USAGE;
    if (argc - 2 > OM_VM_HELPER_PROGRAMS_MAX)
        return WRONG_USAGE;
    for (int i = 2; i < argc; i++)
        programs[i - 2] = argv[i];
    return om_vm_spawner_serve(0, programs);
}
