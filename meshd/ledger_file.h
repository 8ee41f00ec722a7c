/*
 * ledger_file.h - what admins of a closed network signed, over a restart
 *
 * What:  parts of a ledger, as the node told them, one behind the other, and given back to it.
 * Why:   a member who forgot who was thrown out would let him in again until somebody tells it; an
 *        admin who forgot what he signed would sign other things under the same numbers.
 * Keeps: test_ledger_outlives_a_restart; test_lists_that_cannot_be_read_are_not_lost;
 *        test_ledger_that_is_full_is_written_anew.
 * Full:  LEDGER_FILE_MAX bytes; then it is written anew, with what the node still has, which is
 *        less. Where that cannot be written, nothing more is kept, and so nothing signed.
 *
 *     networks/ID.ledger        {u16 length, bytes of an answer as plans/membership.md has it}...
 *     networks/ID.ledger.new    the same, until it takes the place of the other
 *
 * What a crash cut off in the middle is cut off at the next start.
 */
#ifndef OM_MESHD_LEDGER_FILE_H
#define OM_MESHD_LEDGER_FILE_H

#include "state.h"

enum { LEDGER_FILE_MAX = 96 << 20 };
static_assert((int)LEDGER_FILE_MAX > (int)OM_LEDGER_KEPT_MAX, "written anew it may be full still");

/**
 * ledger_file_load() - give the node back what is kept of a ledger
 * @d:        the daemon
 * @network:  which its node has joined
 * @err:      sentence for a person
 *
 * Return: false, and @err, when there is a file that cannot be read, which is left as it is.
 */
bool ledger_file_load(struct om_daemon *d, const struct om_id *network, struct om_error *err);

/** ledger_file_add() - keep @part, which the node has, of @network for @d. Return: false, and
 *  errno, when it is not on the disk. */
bool ledger_file_add(const struct om_daemon *d, const struct om_id *network, struct om_bytes part);

/** ledger_file_forget() - remove the file of @network of @d, if there is one. */
void ledger_file_forget(const struct om_daemon *d, const struct om_id *network);

#endif
