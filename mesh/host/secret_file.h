/*
 * secret_file.h - short secrets, each in a file that only its user can read
 *
 * What:  writes a file all at once or not at all; reads one only where nobody else could have.
 * Why:   a seed that is half written, or world-readable, is a node lost; a database is no place
 *        for it, since its pages are copied into logs and backups.
 * Keeps: secret_round_trips_under_0600; secret_is_never_overwritten_unasked;
 *        secret_replaces_when_asked; secret_full_disk_leaves_nothing;
 *        secret_that_others_can_read_is_refused; secret_of_a_wrong_size_is_refused;
 *        secret_follows_no_link; secret_half_written_by_the_dead_is_in_nobodys_way.
 *
 * Create-exclusive NAME.new, write, fsync, rename, fsync of the folder: after a return of OM_OK the
 * secret outlives a power cut. One process at a time writes to a folder (om_home_open() sees to
 * that), so a NAME.new found there is what a killed one left, and is removed.
 *
 * Source: rename(2), renameat2(2) RENAME_NOREPLACE, fsync(2).
 */
#ifndef OM_HOST_SECRET_FILE_H
#define OM_HOST_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/err.h>

enum { OM_SECRET_NAME_MAX = 128 /* bytes with the zero */ };

/**
 * om_secret_write() - keep a secret
 * @folder:   path, of a folder that is the user's alone
 * @name:     one component of a path
 * @bytes:    the secret
 * @n:        bytes of it
 * @replace:  take the place of one that is there
 * @err:      sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_EXISTS without @replace; OM_E_MISSING when there is no @folder; OM_E_RANGE
 * for a bad @name; OM_E_STATE when the disk is full or refuses. On an error the folder holds what
 * it held before; only if the very last step failed, fsync of the folder, is the new one there.
 */
OM_MUST enum om_err om_secret_write(const char *folder, const char *name, const void *bytes,
                                    size_t n, bool replace, struct om_error *err);

/**
 * om_secret_read() - read a secret back
 * @folder:  path
 * @name:    one component of a path
 * @bytes:   room for @n; all zero after an error
 * @n:       how many bytes it must have; with @got how many at most
 * @got:     set to how many it has; NULL if it must have @n
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING when there is none; OM_E_RANGE for a wrong size or a bad @name;
 * OM_E_STATE when it is no file, or not the user's alone, or cannot be read.
 */
OM_MUST enum om_err om_secret_read(const char *folder, const char *name, void *bytes, size_t n,
                                   size_t *got, struct om_error *err);

#endif
