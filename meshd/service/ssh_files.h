/*
 * ssh_files.h - what OpenSSH reads about our machines
 *
 * What:  HOME/ssh/config, a Host for each machine under its id and its name, and
 *        HOME/ssh/vm_known_hosts, its host key as its provider told it over the session.
 * Why:   after one line "Include HOME/ssh/config" ssh, scp, rsync and editors work as they are;
 *        and nobody is ever asked to trust a key.
 *
 * Both are written anew when machines come and go.
 *
 * Source: ssh_config(5); sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.
 */
#ifndef OM_SERVICE_SSH_FILES_H
#define OM_SERVICE_SSH_FILES_H

#include "service/wanted_parts.h"

/** ssh_files_find() - learn where the program is that @w names as ProxyCommand; before seccomp. */
void ssh_files_find(struct wanted *w);

/** ssh_files_write() - write what is not in the files of @w yet; what goes wrong is logged. */
void ssh_files_write(struct wanted *w);

/** ssh_files_free() - release what @w remembers of them. */
void ssh_files_free(struct wanted *w);

#endif
