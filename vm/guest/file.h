/*
 * file.h - a file that comes as a body
 *
 * What:  written beside its place, and moved there when it is whole.
 * Why:   what reads it sees all of it or what was there before.
 * Keeps: file_is_there_whole_or_not_at_all; file_has_no_place_or_no_room.
 */
#ifndef OM_GUEST_FILE_H
#define OM_GUEST_FILE_H

#include <stdbool.h>

#include <omerta/bytes.h>

#include "order.h"

struct guest_file {
    int fd;        /* -1: nothing comes */
    bool is_short; /* something of it could not be written */
    unsigned mode;
    char path[GUEST_PATH];
    char part[GUEST_PATH + 8];
};

/** guest_file_begin() - @f will be at @path with @mode; false: there can be no file. */
bool guest_file_begin(struct guest_file *f, const char *path, unsigned mode);

/** guest_file_add() - @bytes more of @f. */
void guest_file_add(struct guest_file *f, struct om_bytes bytes);

/** guest_file_end() - @f is whole; false: it is not there, for want of room. */
bool guest_file_end(struct guest_file *f);

/** guest_file_drop() - of @f, if it was begun, nothing stays. */
void guest_file_drop(struct guest_file *f);

#endif
