/*
 * iso.h - a few small files as an ISO 9660 image
 *
 * What:  writes names and bytes into an image with Rock Ridge and Joliet, so that every guest finds
 *        them under their own names.
 * Why:   NoCloud looks for a volume of this kind. The library that writes it is large, so it runs
 *        only in a child that does nothing else (seed_job.h).
 * Keeps: iso_is_read_back_by_others; iso_takes_any_bytes; iso_refuses_names_with_a_way_out.
 *
 * Full: more than OM_VM_ISO_FILES files or OM_VM_ISO_BYTES bytes are refused.
 *
 * Source: ECMA-119; NoCloud of cloud-init: volume "cidata" with user-data and meta-data.
 */
#ifndef OM_VM_HOST_ISO_H
#define OM_VM_HOST_ISO_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/err.h>

enum {
    OM_VM_ISO_FILES = 16,
    OM_VM_ISO_NAME_MAX = 64,          /* bytes with the zero; what Joliet takes */
    OM_VM_ISO_BYTES = 2 * 1024 * 1024 /* of all files together */
};

struct om_vm_iso_file {
    const char *name; /* letters, digits, '.', '-' and '_'; no dot first */
    const void *bytes;
    size_t n;
};

/**
 * om_vm_iso_write() - write the image
 * @fd:      an empty file, open for writing; stays the caller's
 * @volume:  its label, up to 32 letters and digits
 * @files:   what is in it
 * @count:   how many
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_RANGE for a bad label or name, or too much; OM_E_FULL when the disk is;
 * OM_E_STATE; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_iso_write(int fd, const char *volume, const struct om_vm_iso_file *files,
                                    size_t count, struct om_error *err);

/** om_vm_iso_is_name() - may a file in an image be called @name? */
bool om_vm_iso_is_name(const char *name);

#endif
