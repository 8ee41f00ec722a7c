/*
 * wipe.h - the end of a folder that held a virtual machine
 *
 * What:  overwrites what is small, because it may hold keys, then removes all.
 * Why:   a seed holds the host key of a machine; a block that is merely free can still be read. Of
 *        disks, which are large, only the names go: their blocks are the file system's to give out
 *        again, zeroed.
 * Keeps: wipe_overwrites_before_it_removes; wipe_follows_no_link; wipe_takes_folders_below;
 *        wipe_of_what_is_gone_is_fine; wipe_is_only_for_folders_of_ours.
 *
 * On a file system that copies on write, or a disk that levels wear, old blocks may live on: that
 * is for encryption of the disk.
 *
 * It takes as long as the disk does: a loop has it done by wipe_job.h.
 *
 * Full: folders nested deeper than OM_VM_WIPE_DEPTH are left, and said to be.
 */
#ifndef OM_VM_HOST_WIPE_H
#define OM_VM_HOST_WIPE_H

#include <omerta/err.h>

enum {
    OM_VM_WIPE_BYTES = 8 * 1024 * 1024, /* larger files are no secrets, but disks */
    OM_VM_WIPE_DEPTH = 8
};

/**
 * om_vm_wipe() - remove a folder with all that is in it
 * @path:  of the folder; never a link; the folder has to be this user's and nobody else's (0700)
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK, also when there is none; OM_E_STATE when something could not be removed, or the
 * folder is not ours alone, and then all that could be is gone.
 */
OM_MUST enum om_err om_vm_wipe(const char *path, struct om_error *err);

#endif
