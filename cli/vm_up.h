/*
 * vm_up.h - a virtual machine that one can get into
 *
 * What:  the machine that a word means, once it runs; while it starts, or its provider's daemon
 *        finds it again after a restart, that is waited for.
 * Why:   OpenSSH would speak of keys and refused connections where one only has to wait.
 * Keeps: test_ways_in; test_own_machine_both_ways.
 */
#ifndef OM_CLI_VM_UP_H
#define OM_CLI_VM_UP_H

#include "cli.h"

/**
 * om_vm_find_up() - as om_vm_find(), once the machine runs
 * @cli:   ours
 * @word:  what was typed
 * @out:   on success owned by the caller
 *
 * Return: as om_vm_find(); OM_EXIT_FAILED, after it was said, when it will not run by itself or
 * does not in time.
 */
OM_MUST enum om_exit om_vm_find_up(struct om_cli *cli, const char *word, json_t **out);

#endif
