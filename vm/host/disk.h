/*
 * disk.h - the disk of a virtual machine
 *
 * What:  has qemu-img make a sparse qcow2 file, empty or over an image that stays as it is.
 * Why:   a machine writes to a file of its own, and what it did not write costs no room.
 * Keeps: disk_over_an_image_is_sparse_and_as_large_as_asked; disk_without_an_image_is_empty;
 *        disk_takes_no_file_that_is_there; disk_is_not_made_where_there_is_no_room;
 *        disk_that_fails_leaves_no_file; disk_cancelled_leaves_nothing;
 *        disk_smaller_than_its_image_is_refused; disk_over_a_hostile_image_is_refused.
 *
 * The format of the image is always said, never guessed: what a guest writes at the start of a raw
 * file could otherwise name a file of ours as its base. For the same reason a qcow2 image that has
 * a base or data elsewhere is refused (qcow2.h).
 *
 * Source: qemu-img(1), "create"; statvfs(3).
 */
#ifndef OM_VM_HOST_DISK_H
#define OM_VM_HOST_DISK_H

#include <uv.h>

#include <omerta/err.h>

enum { OM_VM_DISK_MS = 30000, OM_VM_DISK_NAME_MAX = 64 };

struct om_vm_spawner;

struct om_vm_disk_config {
    uv_loop_t *loop;
    struct om_vm_spawner *via; /* who runs qemu-img; NULL: this process itself */
    const char *qemu_img;      /* its path */
    const char *folder;        /* of the machine, 0700 */
    const char *name;          /* of the disk in it, one component; must not be there */
    const char *image;         /* absolute path of what it starts as; NULL: empty */
    const char *format;        /* of @image: "raw" or "qcow2" */
    uint64_t bytes;            /* size that the guest sees */
    uint64_t spare;            /* bytes of room that must be left, besides what is asked for */
    /* Once, never before om_vm_disk_start() returned; @why is a sentence, lent for the call. */
    void (*on_done)(void *self, enum om_err e, const char *why);
    void *self;
};

struct om_vm_disk;

/**
 * om_vm_disk_start() - begin
 * @out:     set on success; frees itself after on_done() or om_vm_disk_cancel()
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_EXISTS when there is such a file; OM_E_MISSING without the image; OM_E_FULL
 * when the disk could not grow to its size; OM_E_RANGE for a name with a way out, an unknown
 * format or a disk smaller than its image; OM_E_UNSUPPORTED for an image that leans on other files;
 * otherwise as om_vm_process_spawn(). On an error no file is left.
 */
OM_MUST enum om_err om_vm_disk_start(struct om_vm_disk **out,
                                     const struct om_vm_disk_config *config, struct om_error *err);

/** om_vm_disk_cancel() - end @d, of which on_done() is still to come, and will not; its file is
 *  gone when this returns. */
void om_vm_disk_cancel(struct om_vm_disk *d);

#endif
