/* helper.c - what the daemon is to its children: the program that runs their main functions. */
#include <stdio.h>
#include <string.h>

#include "vm/host/seed_job.h"
#include "vm/host/spawner.h"

int main(int argc, char **argv)
{
    const char *programs[8] = {NULL}; /* the rest of the line */

    for (int i = 2; i < argc && i < 9; i++)
        programs[i - 2] = argv[i];
    if (argc >= 2 && argc < 9 && strcmp(argv[1], "--vm-spawner") == 0)
        return om_vm_spawner_serve(0, programs);
    if (argc == 2 && strcmp(argv[1], "--make-seed") == 0)
        return om_vm_seed_serve(0, 1);
    (void)fputs("helper: want a mode\n", stderr);
    return 2;
}
