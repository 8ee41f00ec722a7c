/*
 * summary.h - the status of a daemon, for people
 *
 * What:  a few lines: what runs, where, in which networks, with whom.
 * Why:   everything is in `omerta status --json`; at a terminal somebody wants to know whether it
 *        works.
 * Keeps: summary_says_what_matters.
 */
#ifndef OM_CLI_SUMMARY_H
#define OM_CLI_SUMMARY_H

#include <jansson.h>

#include "out.h"

/** om_summary_print() - @status, the reply of the method of that name, on @out. */
void om_summary_print(struct om_out *out, const json_t *status);

#endif
