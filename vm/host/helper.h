/*
 * helper.h - what the daemon's program does when it is run as one of its own children
 *
 * What:  recognises --vm-spawner PROGRAM... and --make-seed, and does that instead of being a
 *        daemon.
 * Why:   both are main functions of their own; one program to install is enough.
 * Keeps: helper_takes_only_its_own_words.
 *
 * Before anything else main() does:
 *     if (om_vm_helper_wanted(argc, argv))
 *         return om_vm_helper_run(argc, argv);
 * and the daemon starts {"/proc/self/exe", "--vm-spawner", QEMU, QEMU-IMG, "/proc/self/exe"} as its
 * spawner, and through that {"/proc/self/exe", "--make-seed"}.
 */
#ifndef OM_VM_HOST_HELPER_H
#define OM_VM_HOST_HELPER_H

#include <stdbool.h>

enum { OM_VM_HELPER_PROGRAMS_MAX = 8 };

/** om_vm_helper_wanted() - do the @argc words of @argv ask for a helper? */
bool om_vm_helper_wanted(int argc, char *const *argv);

/**
 * om_vm_helper_run() - be it
 * @argc:  as main()'s
 * @argv:  as main()'s; om_vm_helper_wanted()
 *
 * Return: exit status.
 */
int om_vm_helper_run(int argc, char *const *argv);

#endif
