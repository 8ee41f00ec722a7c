/*
 * ssh_run.h - OpenSSH's programs with our way to where they go
 *
 * What:  ssh or scp with a ProxyCommand, known hosts and a key of our own, for a peer or for a
 *        virtual machine.
 * Why:   both go the same way; they differ in where the host key comes from. That of a machine is
 *        known from its provider, so one that is not it is refused; that of a peer is kept from the
 *        first time on, as the mesh has authenticated whose it is.
 */
#ifndef OM_CLI_SSH_RUN_H
#define OM_CLI_SSH_RUN_H

#include "cli.h"

struct om_ssh_run {
    const char *program; /* ssh or scp */
    const json_t *vm;    /* of vm.list; NULL: a peer, which the words name */
    const char *const *words;
    unsigned count;
};

/** om_ssh_run() - become what @r says, with the options of @cli; returns only when it cannot. */
enum om_exit om_ssh_run(struct om_cli *cli, const struct om_ssh_run *r);

#endif
