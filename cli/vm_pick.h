/*
 * vm_pick.h - which machine a word means
 *
 * What:  the name that its user gave it, its id, or the start of that; of the only one, nothing.
 * Why:   the same words everywhere that a machine can be named.
 * Keeps: cli_vm_pick_by_name_id_and_start; cli_vm_pick_several_are_none.
 */
#ifndef OM_CLI_VM_PICK_H
#define OM_CLI_VM_PICK_H

#include "cli.h"

/**
 * om_vm_pick() - the machine a word means, among those of a list
 * @list:  array of objects with "vm" and "name"
 * @word:  what was typed; NULL: the only one
 * @err:   sentence for a person
 *
 * Return: lent by @list; NULL and @err: none, or several.
 */
const json_t *om_vm_pick(const json_t *list, const char *word, struct om_error *err);

/**
 * om_vm_find() - the same among those of the daemon
 * @cli:   ours
 * @word:  what was typed
 * @out:   on success owned by the caller
 *
 * Return: OM_EXIT_OK; OM_EXIT_USAGE or what the question gave, after it was said.
 */
OM_MUST enum om_exit om_vm_find(struct om_cli *cli, const char *word, json_t **out);

#endif
