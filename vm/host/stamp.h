/*
 * stamp.h - is a file still the one that was looked at?
 *
 * What:  what the system says of a file that changes whenever its bytes do.
 * Why:   an image of gigabytes is hashed once; before each use a look must do.
 * Keeps: stamp_changes_with_the_file; stamp_of_no_file_is_refused.
 *
 * Source: stat(2): ctime changes with the contents and cannot be set by its owner.
 */
#ifndef OM_VM_HOST_STAMP_H
#define OM_VM_HOST_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

struct om_vm_stamp {
    uint64_t device, inode, bytes;
    int64_t modified_ns, changed_ns;
};

/**
 * om_vm_stamp_of() - look at a file that is open
 * @out:  untouched on failure
 * @fd:   a descriptor of it
 *
 * Return: OM_OK; OM_E_STATE when it is no regular file.
 */
OM_MUST enum om_err om_vm_stamp_of(struct om_vm_stamp *out, int fd);

/**
 * om_vm_stamp_at() - look at a file
 * @out:   untouched on failure
 * @path:  of it; a link is refused
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING; OM_E_STATE when it is no regular file or cannot be read.
 */
OM_MUST enum om_err om_vm_stamp_at(struct om_vm_stamp *out, const char *path, struct om_error *err);

/** om_vm_stamp_equal() - do @a and @b say that nothing changed? */
bool om_vm_stamp_equal(const struct om_vm_stamp *a, const struct om_vm_stamp *b);

#endif
