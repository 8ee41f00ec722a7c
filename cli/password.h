/*
 * password.h - a password that is not on the command line
 *
 * What:  the first line of a file or of standard input; at a terminal, without showing it.
 * Why:   every user of a machine may read the command lines of all its programs.
 * Keeps: password_is_the_first_line; password_of_a_wrong_size_is_refused.
 */
#ifndef OM_CLI_PASSWORD_H
#define OM_CLI_PASSWORD_H

#include <omerta/attr.h>
#include <omerta/err.h>

enum { OM_PASSWORD_MAX = 255 };

/**
 * om_password_read() - read it
 * @out:   terminated, without the end of the line; wiped by the caller, and all zero after an error
 * @file:  path; "-" or NULL: standard input
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING or OM_E_STATE when it cannot be read, or Ctrl-C ended it; OM_E_RANGE
 * unless it has 1 to OM_PASSWORD_MAX bytes, none of them zero.
 */
OM_MUST enum om_err om_password_read(char out[static OM_PASSWORD_MAX + 1], const char *file,
                                     struct om_error *err);

#endif
