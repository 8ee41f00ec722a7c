/*
 * why.h - sentences on how this machine is connected
 *
 * What:  one that says that UDP is blocked, wherever a person looks for why nothing works.
 * Why:   peers, why, netcheck, ping and doctor must tell the same story.
 */
#ifndef OM_CONTROL_WHY_H
#define OM_CONTROL_WHY_H

#include "control/control.h"

enum { CONTROL_BLOCKED_TEXT = 160 };

/** control_blocked_text() - a sentence without its full stop in @out when nobody far away answers
 *  @d over UDP; NULL when somebody does, or nobody was asked. */
const char *control_blocked_text(struct om_daemon *d, char out[static CONTROL_BLOCKED_TEXT]);

#endif
