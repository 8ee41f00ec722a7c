/*
 * vm_watch.h - what a virtual machine sends and gets
 *
 * What:  the words traffic, capture and resume of the command vm.
 * Why:   they are for who provides a machine, the others for who uses one.
 */
#ifndef OM_CLI_VM_WATCH_H
#define OM_CLI_VM_WATCH_H

#include "cli.h"

/** om_vm_traffic() - flows, counters and refusals of the machine that @cli names, asked by @ask. */
enum om_exit om_vm_traffic(struct om_cli *cli, struct om_ask *ask);

/** om_vm_capture() - packets of the machine that @cli names into a file or to standard output, for
 *  tcpdump; @ask is asked how many there were no time for. */
enum om_exit om_vm_capture(struct om_cli *cli, struct om_ask *ask);

/** om_vm_resume() - a machine that was paused, which @cli names, goes on, by @ask. */
enum om_exit om_vm_resume(struct om_cli *cli, struct om_ask *ask);

#endif
