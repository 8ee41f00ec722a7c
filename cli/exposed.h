/*
 * exposed.h - a warning of secrets that others may read
 *
 * What:  says so when a file that somebody gives us as his link or password has bits for others.
 * Why:   whoever reads a link that is not used yet can use it; the file is the user's, who may have
 *        his reasons, so nothing is refused and nothing changed.
 * Keeps: test_file_that_others_may_read_is_warned_of.
 */
#ifndef OM_CLI_EXPOSED_H
#define OM_CLI_EXPOSED_H

#include "out.h"

/** om_exposed_warn() - a line to the problems of @out where others than its owner may open the
 *  regular file @path; of what is none, or is not there, nothing is said. */
void om_exposed_warn(struct om_out *out, const char *path);

#endif
