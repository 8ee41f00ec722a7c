/*
 * sums.h - the SHA-256 of files that did not change since they were read
 *
 * What:  remembers for some files what they hashed to, by their stamps; reads those it does not
 *        know.
 * Why:   an image is verified before each machine that starts from it, and to hash its kernel takes
 *        longer than everything else that is done before QEMU starts.
 * Keeps: sums_reads_a_file_once; sums_reads_a_changed_file_again;
 *        sums_does_not_trust_a_file_of_just_now; sums_forgets_the_oldest; sums_of_no_file.
 * Full:  OM_VM_SUMS_MAX files: the one that was remembered first is read again.
 *
 * It is plain memory that may be copied: whoever works on another thread works on a copy, and what
 * that learned is merged. It dies with the process, so each file is read once by each.
 *
 * A stamp holds the time of the last change, which the file's owner cannot set. That time moves in
 * steps of some milliseconds, so two changes may have the same; a file that changed less than
 * OM_VM_SUMS_CALM_MS before it was read is not remembered.
 */
#ifndef OM_VM_HOST_SUMS_H
#define OM_VM_HOST_SUMS_H

#include <omerta/time.h>

#include "digest.h"

enum { OM_VM_SUMS_MAX = 32, OM_VM_SUMS_CALM_MS = 2000 };

struct om_vm_sum {
    struct om_vm_stamp stamp;
    uint8_t hash[OM_VM_DIGEST_BYTES];
};

struct om_vm_sums {
    struct om_vm_sum row[OM_VM_SUMS_MAX]; /* zero: empty */
    unsigned n, next;
    uint64_t read; /* files that had to be read */
};

/**
 * om_vm_sums_file() - what a file hashes to
 * @s:     remembers it, when that is safe
 * @path:  of a regular file, or of a link to one
 * @now:   the calendar
 * @hash:  the SHA-256
 *
 * Return: OM_OK; OM_E_STATE when it cannot be read; OM_E_BUSY when it changed meanwhile;
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_sums_file(struct om_vm_sums *s, const char *path, struct om_wall now,
                                    uint8_t hash[static OM_VM_DIGEST_BYTES]);

/** om_vm_sums_merge() - have @s remember what @from does. */
void om_vm_sums_merge(struct om_vm_sums *s, const struct om_vm_sums *from);

#endif
