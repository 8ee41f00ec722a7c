/*
 * trouble.h - why a closed network is silent, as its node guesses
 *
 * What:  keeps of each network the last event "outdated" or "wrong_clock", and says it in a
 *        sentence.
 * Why:   who has too old a secret or a wrong clock hears nothing; only its own node can tell.
 * Keeps: trouble_is_the_last_that_was_told; trouble_is_over_with_a_session;
 *        trouble_of_others_is_not_ours; trouble_is_no_reason_to_leave_what_is_ours;
 *        test_outdated_secret_is_said.
 */
#ifndef OM_MESHD_TROUBLE_H
#define OM_MESHD_TROUBLE_H

#include "state.h"

/** trouble_event() - @e happened; @is_peer: its peer is one of @net, which is closed. */
void trouble_event(struct daemon_network *net, const struct om_event *e, bool is_peer);

/** trouble_text() - a sentence on @net without its full stop into @out, of @size bytes; false when
 *  there is nothing to say. */
bool trouble_text(const struct daemon_network *net, char *out, size_t size);

/** trouble_mend() - what a person can do about @net; "" when there is nothing to say. */
const char *trouble_mend(const struct daemon_network *net);

#endif
