/*
 * qemu.h - QEMU for one test, real or played
 *
 * What:  finds QEMU, or writes a script that stands for one and does as the test wants.
 * Why:   a KVM that hangs is not to be had on every machine; the decision must be tried on all.
 */
#ifndef OM_TESTS_VM_QEMU_H
#define OM_TESTS_VM_QEMU_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/host/process.h"

/** qemu_find() - the real one into @path; false, with a line on stderr, when there is none. */
static inline bool qemu_find(char path[static OM_VM_PATH_MAX])
{
    if (om_vm_process_find(path, OM_VM_PATH_MAX, "qemu-system-x86_64", NULL) == OM_OK)
        return true;
    (void)fputs("skipped: qemu-system-x86_64 is not installed\n", stderr);
    return false;
}

/** qemu_play() - a script at @path that runs @lines; $* are the arguments. */
static inline bool qemu_play(const char *path, const char *lines)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return false;
    (void)fprintf(f, "#!/bin/sh\n%s\n", lines);
    return fclose(f) == 0 && chmod(path, 0700) == 0;
}

#endif
