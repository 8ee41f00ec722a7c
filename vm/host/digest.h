/*
 * digest.h - the SHA-256 of a file, beside other work
 *
 * What:  reads a file piece by piece on the thread pool and tells its hash, and the file's stamp
 *        from before and after, which were the same.
 * Why:   an image is verified before a machine starts from it; that takes seconds, which neither
 *        the loop nor the pool's other users shall wait.
 * Keeps: digest_meets_the_standard; digest_of_a_file_larger_than_a_piece;
 *        digest_tells_how_far_it_is; digest_of_what_cannot_be_read_fails;
 *        digest_cancelled_leaves_nothing; digest_of_a_file_that_changes_is_refused.
 *
 * Source: FIPS 180-4.
 */
#ifndef OM_VM_HOST_DIGEST_H
#define OM_VM_HOST_DIGEST_H

#include <uv.h>

#include <omerta/err.h>

#include "stamp.h"

enum {
    OM_VM_DIGEST_BYTES = 32,
    OM_VM_DIGEST_TEXT = 65,              /* hexadecimal, lower case, and the zero */
    OM_VM_DIGEST_PIECE = 4 * 1024 * 1024 /* bytes after which others get the thread */
};

struct om_vm_digest_done {
    enum om_err e; /* OM_OK, OM_E_STATE, or OM_E_BUSY when the file changed meanwhile */
    uint8_t hash[OM_VM_DIGEST_BYTES];
    char text[OM_VM_DIGEST_TEXT]; /* the same for people */
    struct om_vm_stamp stamp;
    const char *why; /* a sentence unless OM_OK */
};

struct om_vm_digest_config {
    uv_loop_t *loop;
    const char *path; /* of a regular file; a link is refused */
    void (*on_progress)(void *self, uint64_t bytes, uint64_t all); /* may be NULL */
    /* Once, never before om_vm_digest_start() returned; @done is lent for the call. */
    void (*on_done)(void *self, const struct om_vm_digest_done *done);
    void *self;
};

struct om_vm_digest;

/**
 * om_vm_digest_start() - begin
 * @out:     set on success; frees itself after on_done() or om_vm_digest_cancel()
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING; OM_E_STATE when it is no regular file; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_digest_start(struct om_vm_digest **out,
                                       const struct om_vm_digest_config *config,
                                       struct om_error *err);

/** om_vm_digest_cancel() - end @d, of which on_done() is still to come, and will not; not from
 *  its on_progress(). */
void om_vm_digest_cancel(struct om_vm_digest *d);

#endif
