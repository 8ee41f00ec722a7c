/*
 * access.h - what a machine that we asked for may reach here, and by which name we reach it
 *
 * What:  ports of this node's loopback, and the internet by our way there, for one machine each;
 *        the name that its user gave it; and, where a peer is wanted, the machine that was meant.
 * Why:   a machine runs at a provider that may reach nothing here: what it asks for is decided by
 *        the machine it is. Default is nothing.
 * Keeps: access_reads_what_is_right; access_refuses_what_is_wrong;
 *        access_takes_only_ids_that_can_be_one; access_of_a_machine_is_its_own.
 *
 * Only "vm-" and ten hex digits, which no other machine has, are taken from a provider: they become
 * a name in files of OpenSSH.
 */
#ifndef OM_SERVICE_ACCESS_H
#define OM_SERVICE_ACCESS_H

#include <jansson.h>

#include "state.h"

enum { ACCESS_NAME_MAX = 32, ACCESS_IDENTITY_MAX = 512 };

struct wanted;
struct wanted_vm;

/** access_read() - take "name", "identity", "expose" and "egress" of @words into @v; false and
 *  @err. */
bool access_read(struct wanted_vm *v, const json_t *words, struct om_error *err);

/** access_show() - add the same words of @v to @out. */
void access_show(const struct wanted_vm *v, json_t *out);

/** access_is_id() - may the provider of @v call it @id? */
bool access_is_id(const struct wanted_vm *v, const char *id);

/** access_open() - what @v may reach can be reached from now on, once its provider named it. */
void access_open(struct wanted_vm *v);

/** access_close() - @v reaches nothing any more. */
void access_close(struct wanted_vm *v);

/** access_route() - where "peer" of @words names a machine of @w, its id, start or name, it becomes
 *  the provider, with "network" and "link". */
void access_route(const struct wanted *w, json_t *words);

#endif
