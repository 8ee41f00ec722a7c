/*
 * vm_into.h - into a virtual machine
 *
 * What:  vm ssh, vm cp and vm forward; what request says of them; and the words of request about
 *        what the machine may reach and who gets in.
 * Why:   a machine is for using it: by the programs that people know, with nothing to set up.
 */
#ifndef OM_CLI_VM_INTO_H
#define OM_CLI_VM_INTO_H

#include "cli.h"

/** om_vm_ssh() - `vm ssh VM [COMMAND]` of @cli; returns only when it cannot. */
enum om_exit om_vm_ssh(struct om_cli *cli);

/** om_vm_cp() - `vm cp FILE... VM:PATH`, or the other way, of @cli; returns only when it cannot. */
enum om_exit om_vm_cp(struct om_cli *cli);

/** om_vm_forward() - `vm forward VM [BIND:]PORT:PORT` of @cli. */
enum om_exit om_vm_forward(struct om_cli *cli);

/** om_vm_access() - the options name, expose, egress and ssh-key of @cli into @params. */
enum om_exit om_vm_access(struct om_cli *cli, json_t *params);

/** om_vm_ways() - say, for people, how to get into machine @vm of @cli. */
void om_vm_ways(struct om_cli *cli, const char *vm);

#endif
