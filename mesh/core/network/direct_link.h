/*
 * direct_link.h - the line by which two people reach each other without any network
 *
 * What:  codec of omerta://connect?key=HEX&host=IP&port=PORT&peer=ID.
 * Why:   it is the form that was always handed out; who it is for, peer, came later, and a link
 *        without it is still understood.
 * Keeps: direct_link_round_trips; direct_link_of_the_old_form_has_no_pin;
 *        direct_link_refuses_nonsense.
 *
 * Source: PROTOCOL section 7 (Direct link).
 */
#ifndef OM_NETWORK_DIRECT_LINK_H
#define OM_NETWORK_DIRECT_LINK_H

#include <omerta/network_link.h>

#define OM_DIRECT_SCHEME "omerta://connect?"

/** om_direct_link_print() - the text of @l into @out. Return: its length. */
size_t om_direct_link_print(char out[static OM_NETWORK_LINK_TEXT], const struct om_network_link *l);

/** om_direct_link_parse() - @out from @text, which has no spaces; on failure @out is untouched and
 *  @err says why. Return: OM_OK or OM_E_PARSE. */
OM_MUST enum om_err om_direct_link_parse(struct om_network_link *out, const char *text,
                                         struct om_error *err);

#endif
