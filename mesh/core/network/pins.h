/*
 * pins.h - the keys that may take part in a direct network
 *
 * What:  who is let in, and who becomes the next pin.
 * Why:   a direct link is a secret that may have been copied; the key it was for is what counts,
 *        and once that has come the link opens nothing any more.
 * Keeps: pins_admit_who_is_named; pins_take_the_first_and_no_other; pins_off_let_everybody_in;
 *        node_meets_only_whom_it_pinned.
 *
 * Source: PROTOCOL section 7 (Direct link).
 */
#ifndef OM_NETWORK_PINS_H
#define OM_NETWORK_PINS_H

#include <omerta/node.h>

/** om_pins_admit() - may @id begin a handshake, or answer ours, as far as @p tells? */
bool om_pins_admit(const struct om_pins *p, const struct om_id *id);

/** om_pins_take() - @id completed a handshake: it is a pin of @p from now on. Return: false when it
 *  is none and there is room for no more. */
OM_MUST bool om_pins_take(struct om_pins *p, const struct om_id *id);

#endif
