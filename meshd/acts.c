/* acts.c - what the node wants beside sending goes to the store, the logs and the programs. */
#include <string.h>

#include <omerta/cloister.h>

#include "cloisters.h"
#include "handovers.h"
#include "closed.h"
#include "control/control.h"
#include "data/data.h"
#include "links/links.h"
#include "members.h"
#include "membership.h"
#include "tunnels/tunnels.h"
#include "host/clock.h"
#include "service/offers.h"
#include "service/vms.h"
#include "state.h"

void daemon_event(struct om_daemon *d, const struct om_event *e)
{
    struct om_wall wall = om_clock_wall();

    d->happened[e->kind]++;
    if (d->config.events)
        (void)om_eventlog_put(&d->events, wall, e, NULL);
    control_notify_event(d->control, wall, e);
    members_event(d, e);
    if (e->kind != OM_EVENT_SESSION_UP && e->kind != OM_EVENT_SESSION_REKEYED)
        return;
    membership_heard(d);
    for (unsigned i = 0; i < d->network_count; i++)
        daemon_remember_peer(d, &d->networks[i], &e->peer);
}

static void on_message(struct om_daemon *d, const struct om_act_message *m)
{
    struct inbox_entry e = {.network = m->network,
                            .peer = m->peer,
                            .state = INBOX_CAME,
                            .kind = m->kind,
                            .at_ms = om_clock_wall().unix_ms};

    memcpy(e.id, m->id, sizeof e.id);
    const struct inbox_entry *kept = inbox_add(&d->inbox, &e, m->bytes);
    if (kept)
        control_notify_message(d->control, kept);
}

static void on_receipt(struct om_daemon *d, const struct om_act_receipt *r)
{
    const struct inbox_entry *e = inbox_receipt(&d->inbox, r);

    if (e)
        control_notify_message(d->control, e);
}

static void on_call(struct om_daemon *d, const struct om_act_call *call)
{
    if (d->data && strncmp(call->method, OM_DATA_METHODS, strlen(OM_DATA_METHODS)) == 0)
        data_call(d->data, call);
    else if (d->tunnels && strcmp(call->method, TUNNEL_METHOD) == 0)
        tunnels_call(d->tunnels, call);
    else if (d->tunnels && strcmp(call->method, TUNNEL_LISTEN) == 0)
        tunnels_listen(d->tunnels, call);
    else if (d->tunnels && strcmp(call->method, TUNNEL_NAMES) == 0)
        tunnels_query(d->tunnels, call);
    else if (d->links && strcmp(call->method, LINK_METHOD) == 0)
        links_call(d->links, call);
    else if (d->cloisters && strcmp(call->method, OM_METHOD_CLOISTER) == 0)
        cloisters_call(d->cloisters, call);
    else if (d->handovers && strcmp(call->method, HANDOVER_METHOD) == 0)
        handovers_call(d->handovers, call);
    else if (d->vms && strncmp(call->method, VM_METHODS, strlen(VM_METHODS)) == 0)
        vms_call(d->vms, call);
    else
        om_calls_refuse(d->calls, call->call, "unknown_method", NULL);
}

void daemon_act(void *self, const struct om_act *act)
{
    struct om_daemon *d = self;

    switch (act->kind) {
    case OM_ACT_SEND: /* the pump's */
    case OM_ACT_SOCKETS:
    case OM_ACT_IP: /* nobody's are taken yet */
        break;
    case OM_ACT_MEMBER:
        closed_act(d, &act->member);
        break;
    case OM_ACT_REMEMBER:
        daemon_keep(d, act);
        break;
    case OM_ACT_RECORD:
        daemon_keep(d, act);
        control_notify_record(d->control, &act->record);
        break;
    case OM_ACT_EVENT:
        daemon_event(d, &act->event);
        break;
    case OM_ACT_MESSAGE:
        on_message(d, &act->message);
        break;
    case OM_ACT_RECEIPT:
        on_receipt(d, &act->receipt);
        break;
    case OM_ACT_PONG:
        control_pong(d->control, &act->pong);
        break;
    case OM_ACT_HEALTH:
        control_health(d->control, &act->health);
        break;
    case OM_ACT_STATUS:
        control_status(d->control, &act->status);
        break;
    case OM_ACT_CALL:
        on_call(d, &act->call);
        break;
    case OM_ACT_REPLY:
    case OM_ACT_STREAM:
        om_calls_act(d->calls, act);
        break;
    case OM_ACT_DELIVER:
        if (d->tunnels)
            tunnels_deliver(d->tunnels, &act->deliver);
        if (d->data)
            data_deliver(d->data, &act->deliver);
        break;
    case OM_ACT_ITEM:
        offers_item(d->offers, &act->item);
        break;
    case OM_ACT_FOUND: /* nobody seeks yet */
        break;
    }
}
