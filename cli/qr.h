/*
 * qr.h - a text as a QR code on the terminal
 *
 * What:  two rows of modules a line, in half blocks of UTF-8, with the margin that scanners want.
 * Why:   a link is too long to be typed into a phone, and what is on the screen is in no file.
 * Keeps: qr_has_margin_and_finders; qr_of_too_long_a_text_is_refused; test_qr_is_read_back;
 *        test_qr_wants_its_columns.
 *
 * Light modules are drawn: on a dark terminal that is a code as printed, and where there are
 * colours they are set, so that it is one on any terminal.
 *
 * Source: ISO/IEC 18004 (QR code); libqrencode.
 */
#ifndef OM_CLI_QR_H
#define OM_CLI_QR_H

#include <omerta/err.h>

#include "out.h"

/** om_qr_print() - @text on @out; else @err says why not. Return: OM_OK; OM_E_RANGE for a text that
 *  no code holds; OM_E_STATE for a terminal that would break its lines; OM_E_NO_MEM. */
OM_MUST enum om_err om_qr_print(struct om_out *out, const char *text, struct om_error *err);

#endif
