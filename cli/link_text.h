/*
 * link_text.h - the link of a network, from where it does not get into a history
 *
 * What:  reads it from a file or standard input, and looks at it as far as a question to the user
 *        needs.
 * Why:   every user of a machine may read the command lines of all its programs, and a shell keeps
 *        them.
 * Keeps: link_text_is_all_of_a_file; link_text_of_a_wrong_size_is_refused;
 *        link_text_without_a_peer_is_noticed.
 */
#ifndef OM_CLI_LINK_TEXT_H
#define OM_CLI_LINK_TEXT_H

#include <stdbool.h>

#include <omerta/attr.h>
#include <omerta/err.h>

enum { OM_LINK_TEXT_MAX = 4096 /* bytes, with spaces and line breaks, and the zero */ };

/**
 * om_link_text_read() - all of a file
 * @out:   terminated; wiped by the caller, and all zero after an error
 * @file:  path; "-": standard input
 * @err:   sentence for a person
 *
 * Return: OM_OK; OM_E_MISSING or OM_E_STATE when it cannot be read; OM_E_RANGE when it is empty,
 * too long or has a zero.
 */
OM_MUST enum om_err om_link_text_read(char out[static OM_LINK_TEXT_MAX], const char *file,
                                      struct om_error *err);

/** om_link_text_is_old() - is @text a connect link that does not say whose it is? */
bool om_link_text_is_old(const char *text);

#endif
