/*
 * qcow2.h - what the first bytes of a disk image say
 *
 * What:  size, and whether the image leans on other files, of a qcow2 or raw image.
 * Why:   a qcow2 image names its base by path: one from a stranger could name /etc/shadow, and the
 *        guest would read it. Such an image is refused before QEMU sees it.
 * Keeps: qcow2_reads_what_qemu_wrote; qcow2_refuses_what_leans_on_other_files;
 *        qcow2_refuses_what_it_does_not_know; qcow2_raw_is_never_guessed.
 *
 * Source: QEMU docs/interop/qcow2.txt, "Header".
 */
#ifndef OM_VM_HOST_QCOW2_H
#define OM_VM_HOST_QCOW2_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

enum { OM_VM_QCOW2_HEADER = 104 /* bytes of version 3 that we look at */ };

/**
 * om_vm_qcow2_check() - judge the header of a qcow2 image
 * @size:  set on success: bytes that a guest would see
 * @in:    the first bytes of the file, OM_VM_QCOW2_HEADER or as many as there are
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_PARSE when it is no qcow2; OM_E_UNSUPPORTED for a base, data elsewhere,
 * encryption, snapshots, or anything unknown.
 */
OM_MUST enum om_err om_vm_qcow2_check(uint64_t *size, struct om_bytes in, struct om_error *err);

/** om_vm_qcow2_is() - do the bytes @in begin as a qcow2 image does? */
bool om_vm_qcow2_is(struct om_bytes in);

/**
 * om_vm_qcow2_size() - size of an image file, once it is found harmless
 * @size:    set on success: bytes that a guest would see
 * @path:    of the file
 * @format:  "raw" or "qcow2"
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING; OM_E_STATE when it cannot be read; OM_E_RANGE for another format;
 * as om_vm_qcow2_check(); OM_E_PARSE also for a raw image that begins like a qcow2.
 */
OM_MUST enum om_err om_vm_qcow2_size(uint64_t *size, const char *path, const char *format,
                                     struct om_error *err);

#endif
