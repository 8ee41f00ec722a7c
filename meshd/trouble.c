/* trouble.c - the last trouble of a network, until somebody answers there. */
#include "trouble.h"

#include <stdio.h>

#define CLOCK_MEND "sudo timedatectl set-ntp true"

static const struct {
    const char *before, *after, *mend; /* the name of the network is between the first two */
} troubles[] = {
    [DAEMON_TROUBLE_NONE] = {"", "", ""},
    [DAEMON_TROUBLE_OUTDATED] = {"nobody answers in network ",
                                 ": the others are away, or its secret here is too old and a new "
                                 "invitation is needed",
                                 "ask an admin for a new link; omerta network leave, then join"},
    [DAEMON_TROUBLE_EARLY] = {"a certificate in network ",
                              " is of the future by this machine's calendar: its clock may be slow",
                              CLOCK_MEND},
    [DAEMON_TROUBLE_OVER] = {"a certificate in network ",
                             " is over by this machine's calendar: its clock may be fast, or that "
                             "member was away for long",
                             CLOCK_MEND},
};

void trouble_event(struct daemon_network *net, const struct om_event *e, bool is_peer)
{
    if (e->kind == OM_EVENT_OUTDATED && om_id_equal(&e->peer, &net->self))
        net->trouble = DAEMON_TROUBLE_OUTDATED;
    else if (e->kind == OM_EVENT_WRONG_CLOCK && is_peer)
        net->trouble = e->a ? DAEMON_TROUBLE_EARLY : DAEMON_TROUBLE_OVER;
    else if (e->kind == OM_EVENT_SESSION_UP && is_peer)
        net->trouble = DAEMON_TROUBLE_NONE;
}

bool trouble_text(const struct daemon_network *net, char *out, size_t size)
{
    if (net->trouble == DAEMON_TROUBLE_NONE)
        return false;
    (void)snprintf(out, size, "%s%s%s", troubles[net->trouble].before, net->name,
                   troubles[net->trouble].after);
    return true;
}

const char *trouble_mend(const struct daemon_network *net)
{
    if (net->is_ours && net->trouble == DAEMON_TROUBLE_OUTDATED)
        return "wait for the others; leaving it would lose the authority's key for good";
    return troubles[net->trouble].mend;
}
