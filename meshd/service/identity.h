/*
 * identity.h - the key with which this home logs in to its machines
 *
 * What:  HOME/ssh/id_ed25519 and its public half; made the first time that it is wanted.
 * Why:   whoever asks for a machine without naming a key wants to get in all the same.
 *
 * A key that is there, whoever made it, is used and never replaced.
 */
#ifndef OM_SERVICE_IDENTITY_H
#define OM_SERVICE_IDENTITY_H

#include "state.h"
#include "vm/core/spec.h"

/** identity_line() - the public half, a line without its end, for the home of @d into @out; false
 *  and @err when there is none and none can be made. */
bool identity_line(struct om_daemon *d, char out[static OM_VM_SSH_KEY], struct om_error *err);

#endif
