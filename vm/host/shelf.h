/*
 * shelf.h - the folder that images lie in: who is in it, and who may change it
 *
 * What:  reads the description of each image, NAME/image.json, and holds the folder's lock.
 * Why:   a build that runs while another does, or a removal while a machine starts, must wait its
 *        turn; what a description means is vm/core's business.
 * Keeps: shelf_are_listed_by_name; shelf_half_made_are_passed_over;
 *        shelf_lock_keeps_a_second_out; shelf_lock_of_the_dead_is_free;
 *        shelf_in_a_folder_of_others_are_refused; shelf_are_bounded.
 *
 * Full: of more than OM_VM_SHELF_MAX images the first by name are given, and the rest said to be
 * there; a description over OM_VM_SHELF_JSON_MAX bytes is passed over and told.
 *
 * Source: flock(2).
 */
#ifndef OM_VM_HOST_SHELF_H
#define OM_VM_HOST_SHELF_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/err.h>

enum {
    OM_VM_SHELF_MAX = 64,
    OM_VM_SHELF_NAME_MAX = 64, /* bytes with the zero */
    OM_VM_SHELF_JSON_MAX = 64 * 1024
};

struct om_vm_shelf;

/**
 * om_vm_shelf_open() - open the folder, or make it (0700)
 * @out:   set on success; the caller closes it
 * @path:  of it; its parent must be there
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_STATE when others may write to it, or it cannot be used; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_shelf_open(struct om_vm_shelf **out, const char *path,
                                     struct om_error *err);

/** om_vm_shelf_close() - close @s, which may be NULL, and let go of its lock. */
void om_vm_shelf_close(struct om_vm_shelf *s);

/**
 * om_vm_shelf_lock() - hold the folder, over whatever was held
 * @s:         the folder
 * @is_writer:  alone, to change it; else together with other readers
 *
 * Return: OM_OK; OM_E_BUSY when somebody else has it; then nothing is held.
 */
OM_MUST enum om_err om_vm_shelf_lock(struct om_vm_shelf *s, bool is_writer);

/** om_vm_shelf_unlock() - let go of @s. */
void om_vm_shelf_unlock(struct om_vm_shelf *s);

/**
 * om_vm_shelf_each() - the images, by name
 * @s:    the folder
 * @each:  gets a name and the text of its description, lent until it returns
 * @self:  passed on
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_FULL when there were too many; OM_E_RANGE when a description was too long, or
 * unreadable; OM_E_STATE; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_shelf_each(struct om_vm_shelf *s,
                                     void (*each)(void *self, const char *name, const char *text,
                                                  size_t n),
                                     void *self, struct om_error *err);

/** om_vm_shelf_is_name() - may an image be called @name? Small letters, digits, '.', '-', '_'. */
bool om_vm_shelf_is_name(const char *name);

#endif
