/*
 * ident.h - which process is meant, beyond the life of its number
 *
 * What:  a process id together with the moment its process began and the boot that was in.
 * Why:   a daemon that comes back finds the process ids of its virtual machines in a file; by then
 *        a number may belong to somebody else, who must be neither adopted nor killed.
 * Keeps: ident_of_a_process_is_stable; ident_tells_two_processes_apart;
 *        ident_of_nobody_is_missing; ident_finds_who_is_in_a_folder.
 *
 * Source: proc(5): /proc/PID/stat field 22 (starttime, clock ticks since boot); random(4): boot_id.
 */
#ifndef OM_VM_HOST_IDENT_H
#define OM_VM_HOST_IDENT_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

enum { OM_VM_BOOT_TEXT = 37 /* a UUID and the zero */ };

struct om_vm_ident {
    int32_t pid;
    uint64_t start; /* clock ticks since boot */
    char boot[OM_VM_BOOT_TEXT];
};

/**
 * om_vm_ident_of() - who has this number now
 * @out:  untouched on failure
 * @pid:  of a process that need not be a child
 * @err:  sentence for a person; may be NULL
 *
 * Return: OM_OK, also for one that ended and was not waited for; OM_E_MISSING when there is none;
 * OM_E_STATE when /proc cannot be read.
 */
OM_MUST enum om_err om_vm_ident_of(struct om_vm_ident *out, int32_t pid, struct om_error *err);

/** om_vm_ident_equal() - are @a and @b the same process? */
bool om_vm_ident_equal(const struct om_vm_ident *a, const struct om_vm_ident *b);

/**
 * om_vm_ident_in() - which of our processes have a folder as their working folder
 * @folder:  of a machine
 * @each:    gets each of them, by no order that means anything; also a qemu-img at work there
 * @self:    passed on
 * @err:     sentence for a person; may be NULL
 *
 * For a daemon that was killed between the start of a program and writing down who it is: what runs
 * in a machine's folder and in no row of the ledger is to be adopted and ended.
 *
 * Return: OM_OK, also when there is none, or no such folder; OM_E_STATE when /proc cannot be read.
 */
OM_MUST enum om_err om_vm_ident_in(const char *folder,
                                   void (*each)(void *self, const struct om_vm_ident *who),
                                   void *self, struct om_error *err);

#endif
