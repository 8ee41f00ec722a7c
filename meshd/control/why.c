/* why.c - why a peer is reached as it is, in sentences and as fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>
#include <omerta/why.h>

#include "control/methods.h"
#include "control/parts.h"
#include "control/why.h"
#include "host/clock.h"
#include "members.h"
#include "names.h"
#include "trouble.h"

enum { TEXT = 400, NAME = 128 };

#define BLOCKED_FIX                                                                                \
    "A firewall between here and the internet has to let UDP out, to the port of at least one"     \
    " peer that relays (18002, where nobody chose another)."

/* One question: the same network, peer and time for every part of its answer. */
struct asked {
    struct om_daemon *d;
    const struct daemon_network *net;
    om_time now;
    struct om_path_why why;
};

static json_t *seconds_since(const struct asked *q, om_time at)
{
    return at == OM_NEVER ? json_null() : json_real((double)(q->now - at) / 1e6);
}

/* What @id is called, or the start of its key; escaped. */
static const char *name_of(const struct asked *q, const struct om_id *id, char out[static NAME])
{
    char brief[OM_ID_SHORT], shown[OM_SHOW_TEXT], called[NAMES_TEXT];

    (void)snprintf(out, NAME, "%s",
                   *names_of(q->d, &q->net->id, id, called) ? om_text_show(shown, called)
                                                            : om_id_short(id, brief));
    return out;
}

static json_t *relay_json(const struct om_id *id)
{
    return om_id_is_zero(id) ? json_null() : control_id(id);
}

/* "1.2.3.4:5" or "the relay anna". */
static const char *way_text(const struct asked *q, const struct om_addr *addr,
                            const struct om_id *relay, char out[static NAME])
{
    char name[NAME], text[OM_ADDR_TEXT];

    if (om_id_is_zero(relay))
        (void)snprintf(out, NAME, "%s", om_addr_print(addr, text));
    else
        (void)snprintf(out, NAME, "the relay %.100s", name_of(q, relay, name));
    return out;
}

static json_t *path_json(const struct asked *q, const struct om_why_path *p, bool is_active)
{
    bool is_direct = p->via.lane == 0;
    char text[NAME];

    return json_pack(
        "{s:b, s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:f, s:o, s:o}", "active", (int)is_active, "way",
        is_direct || !om_id_is_zero(&p->relay) ? way_text(q, &p->via.remote, &p->relay, text)
                                               : "a relay that is gone",
        "address", is_direct ? control_addr(&p->via.remote) : json_null(), "relay",
        relay_json(&p->relay), "origin", p->origin, "state", p->state, "rtt_ms", control_ms(p->rtt),
        "score_ms", control_ms(p->score), "loss_percent", (double)p->loss / 10, "age_s",
        seconds_since(q, p->added), "heard_s", seconds_since(q, p->heard));
}

/* The words of reasons that are fixed names. */
static const char *reason_text(const char *reason)
{
    static const struct {
        const char *name, *text;
    } table[] = {
        {"foreign", "it is private to a network that is not ours"},
        {"nowhere", "no machine that we may reach can have that address"},
        {"kind", "it is of a kind that this version does not know"},
        {"own", "it is our own"},
        {"spent", "nobody else vouches for it, and what may be sent there unasked is used up"},
        {"no-udp", "no UDP comes through one of the routers"},
        {"hard", "both routers choose a new port for every destination"},
        {"unshared", "it is not known whether the routers share ports among destinations"},
        {"pooled", "a strict router has several outside addresses"},
        {"hairpin", "both are behind one router, which does not turn datagrams round"},
        {"budget", "it would take more datagrams than may be sent"},
        {"unwilling", "the peer does not want to"},
        {"no-word", "the peer did not answer over the relay"},
        {"no-meeting", "no datagram came through"},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(table); i++)
        if (strcmp(reason, table[i].name) == 0)
            return table[i].text;
    return reason;
}

static void print_saw(const struct om_attempt *a, char out[static TEXT])
{
    switch (a->saw) {
    case OM_SAW_NOTHING_YET:
        (void)snprintf(out, TEXT, "waiting for an answer");
        return;
    case OM_SAW_ANSWER:
        (void)snprintf(out, TEXT, "answered after %.0f ms", (double)a->took / 1000);
        return;
    case OM_SAW_SILENCE:
        (void)snprintf(out, TEXT, "no answer%s%s", *a->reason ? ": " : "", reason_text(a->reason));
        return;
    case OM_SAW_ANOTHER:
        (void)snprintf(out, TEXT, "another way answered first");
        return;
    case OM_SAW_REFUSAL:
        (void)snprintf(out, TEXT, "refused: %s", reason_text(a->reason));
        return;
    case OM_SAW_END:
        (void)snprintf(out, TEXT, "worked, and is over");
        return;
    case OM_SAW_UNASKED:
    case OM_SAWS:
        (void)snprintf(out, TEXT, "not tried: %s", reason_text(a->reason));
        return;
    }
}

/* A punch was no question: what it saw is said in its own words. */
static void print_punch(const struct om_attempt *a, char out[static TEXT])
{
    if (a->saw == OM_SAW_ANSWER)
        (void)snprintf(out, TEXT, "worked, with %llu datagrams of ours after %.1f s",
                       (unsigned long long)a->datagrams, (double)a->took / 1e6);
    else if (a->saw == OM_SAW_NOTHING_YET)
        (void)snprintf(out, TEXT, "under way");
    else
        (void)snprintf(out, TEXT, "%s: %s", a->saw == OM_SAW_SILENCE ? "failed" : "not possible",
                       reason_text(a->reason));
}

static const char *what_text(enum om_attempt_what what)
{
    switch (what) {
    case OM_ATTEMPT_HANDSHAKE:
        return "first word";
    case OM_ATTEMPT_ADDRESS:
        return "direct way";
    case OM_ATTEMPT_LANE:
        return "relay asked";
    case OM_ATTEMPT_PUNCH:
    case OM_ATTEMPT_WHATS:
        break;
    }
    return "both routers at once";
}

static json_t *attempt_json(const struct asked *q, const struct om_attempt *a)
{
    bool is_punch = a->what == OM_ATTEMPT_PUNCH;
    char saw[TEXT], way[NAME] = "";

    if (is_punch)
        print_punch(a, saw);
    else
        print_saw(a, saw);
    if (!is_punch)
        (void)way_text(q, &a->addr, &a->relay, way);
    json_t *punch = is_punch ? json_pack("{s:s, s:s, s:s, s:I}", "plan", a->way, "ours", a->ours,
                                         "theirs", a->theirs, "datagrams", (json_int_t)a->datagrams)
                             : json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:i, s:s, s:s, s:o, s:s, s:o}", "what",
                     om_attempt_what_name(a->what), "what_text", what_text(a->what), "way", way,
                     "address", a->addr.port ? control_addr(&a->addr) : json_null(), "relay",
                     relay_json(&a->relay), "origin", a->origin, "age_s", seconds_since(q, a->at),
                     "times", (int)a->times, "saw", om_attempt_saw_name(a->saw), "reason",
                     a->reason, "took_ms", control_ms(a->took), "text", saw, "punch", punch);
}

static void print_hint(const struct asked *q, const struct om_hint *h, char out[static TEXT])
{
    static const char *const texts[] = {
        [OM_HINT_UDP_BLOCKED] = BLOCKED_FIX,
        [OM_HINT_SILENT] = "See whether the peer is on, and whether what is known of its address"
                           " still holds: `omerta peers add ID IP:PORT` tells another one.",
        [OM_HINT_NO_ADDRESS] = "Nobody says where the peer is: `omerta peers add ID IP:PORT` does,"
                               " or a peer that knows both of you.",
        [OM_HINT_NO_RELAY] = "No relay is known. A node that both can reach, started with --relay,"
                             " would carry until a direct way is found.",
        [OM_HINT_MAP_PORT] = "If a router here mapped a UDP port to this machine (UPnP or NAT-PMP"
                             " turned on, or a port forwarded by hand), peers could come directly.",
        [OM_HINT_OPEN_PORT] = "One of both routers has to be less strict: a UDP port forwarded to"
                              " either machine is enough, as is IPv6 on both sides.",
        [OM_HINT_HAIRPIN] = "Both are behind one router: on the same link, or with hairpinning"
                            " (NAT loopback) turned on in it, they would meet directly.",
        [OM_HINT_IPV6] = "This machine has no public IPv6 address: with one on both sides no NAT"
                         " is in the way.",
    };
    char name[NAME];

    static_assert(OM_ARRAY_SIZE(texts) == OM_HINT_IPV6 + 1, "a text each, but for the last kind");
    switch (h->kind) {
    case OM_HINT_WAIT:
        if (h->n == 0)
            (void)snprintf(out, TEXT, "A direct way is being looked for right now.");
        else
            (void)snprintf(out, TEXT, "A direct way is looked for in %.0f s.", (double)h->n / 1000);
        return;
    case OM_HINT_NEARER_RELAY:
        (void)snprintf(out, TEXT, "The relay %.100s is nearer from here, by %llu ms.",
                       name_of(q, &h->relay, name), (unsigned long long)h->n);
        return;
    case OM_HINT_UDP_BLOCKED:
    case OM_HINT_SILENT:
    case OM_HINT_NO_ADDRESS:
    case OM_HINT_NO_RELAY:
    case OM_HINT_MAP_PORT:
    case OM_HINT_OPEN_PORT:
    case OM_HINT_HAIRPIN:
    case OM_HINT_IPV6:
        (void)snprintf(out, TEXT, "%s", texts[h->kind]);
        return;
    case OM_HINT_KINDS:
        out[0] = 0;
    }
}

const char *control_blocked_text(struct om_daemon *d, char out[static CONTROL_BLOCKED_TEXT])
{
    struct om_netcheck c;
    om_time now = om_clock_now(), since = OM_NEVER;
    unsigned asked = 0;
    bool is_blocked = false, is_heard = false;

    om_node_netcheck(daemon_node(d), now, &d->networks[0].id, &c);
    for (unsigned f = 0; f < OM_ARRAY_SIZE(c.families); f++) {
        is_blocked |= c.families[f].is_blocked;
        is_heard |= c.families[f].is_heard && !c.families[f].is_blocked;
        asked += c.families[f].asked;
        since = om_time_min(since, c.families[f].asked_since);
    }
    if (!is_blocked || is_heard)
        return NULL;
    (void)snprintf(out, CONTROL_BLOCKED_TEXT,
                   "UDP seems to be blocked on this network: of %u questions in %.0f s none was"
                   " answered",
                   asked, (double)(now - since) / 1e6);
    return out;
}

/* Why the way in use was chosen. */
static const char *because_text(const char *because)
{
    static const struct {
        const char *name, *text;
    } table[] = {
        {"first", "it was the first that answered"},
        {"shaken", "a new handshake came over it while the other one was silent"},
        {"better", "it is the best that is known"},
        {"followed", "the peer speaks from there now"},
        {"silent", "the one before it stopped answering"},
        {"gone", "the one before it is gone"},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(table); i++)
        if (strcmp(because, table[i].name) == 0)
            return table[i].text;
    return because;
}

/* Why it is a relay that carries: how the last attempt to do without one ended. */
static void print_because(const struct om_path_why *w, char out[static TEXT])
{
    const struct om_attempt *punch = NULL;

    for (unsigned i = 0; i < w->attempt_count; i++)
        if (w->attempts[i].what == OM_ATTEMPT_PUNCH)
            punch = &w->attempts[i];
    if (w->paths[w->active].via.lane == 0 || !punch || !*punch->reason)
        (void)snprintf(out, TEXT, "%s", because_text(w->because));
    else
        (void)snprintf(out, TEXT, "no direct way was found, %s", reason_text(punch->reason));
}

/* Was what was tried over the way in use, since it was heard, not answered? */
static bool is_unanswered(const struct om_path_why *w, const struct om_why_path *p)
{
    for (unsigned i = 0; i < w->attempt_count && p->heard != OM_NEVER && p->via.lane == 0; i++) {
        const struct om_attempt *a = &w->attempts[i];
        if ((a->what == OM_ATTEMPT_HANDSHAKE || a->what == OM_ATTEMPT_ADDRESS) &&
            a->saw == OM_SAW_SILENCE && a->at > p->heard && om_addr_equal(&a->addr, &p->via.remote))
            return true;
    }
    return false;
}

static void print_summary(struct asked *q, const struct om_id *peer, char out[static TEXT])
{
    const struct om_path_why *w = &q->why;
    const struct om_why_path *p = w->active < 0 ? NULL : &w->paths[w->active];
    char name[NAME], way[NAME], rtt[32] = "", blocked[CONTROL_BLOCKED_TEXT], because[TEXT];
    char why[CONTROL_WHY_TEXT];
    const char *problem = control_blocked_text(q->d, blocked);

    (void)name_of(q, peer, name);
    if (!w->has_session && members_why_not(q->d, q->net, peer, why, sizeof why))
        (void)snprintf(out, TEXT, "%s.", why);
    else if (!w->has_session && problem)
        (void)snprintf(out, TEXT, "%.100s is not connected. %s.", name, problem);
    else if (!w->has_session && trouble_text(q->net, why, sizeof why))
        (void)snprintf(out, TEXT, "%.100s is not connected: %s.", name, why);
    else if (!w->has_session || !p)
        (void)snprintf(out, TEXT, "%.100s is not connected: %s.", name,
                       w->hint_count > 0 && w->hints[0].kind == OM_HINT_SILENT
                           ? "nothing that was tried was answered"
                       : w->knows_address ? "it is being asked"
                                          : "nobody says where it is");
    if (!w->has_session || !p)
        return;
    if (p->rtt > 0)
        (void)snprintf(rtt, sizeof rtt, ", round trip %.1f ms", (double)p->rtt / 1000);
    (void)way_text(q, &p->via.remote, &p->relay, way);
    print_because(w, because);
    if (is_unanswered(w, p))
        (void)snprintf(out, TEXT,
                       "%.60s does not answer: it was last heard from %.100s, %.0f s ago.", name,
                       way, (double)(q->now - p->heard) / 1e6);
    else
        (void)snprintf(out, TEXT, "%.60s is reached %s %.100s%s: %.180s.", name,
                       p->via.lane == 0 ? "directly at" : "over", way, rtt, because);
}

static json_t *answer(struct asked *q, const struct om_id *peer)
{
    const struct om_path_why *w = &q->why;
    json_t *paths = json_array(), *tries = json_array(), *better = json_array();
    const struct om_why_path *active = w->active < 0 ? NULL : &w->paths[w->active];
    char text[TEXT], name[NAME];

    for (unsigned i = 0; i < w->path_count; i++)
        (void)json_array_append_new(paths, path_json(q, &w->paths[i], &w->paths[i] == active));
    for (unsigned i = 0; i < w->attempt_count; i++)
        (void)json_array_append_new(tries, attempt_json(q, &w->attempts[i]));
    for (unsigned i = 0; i < w->hint_count; i++) {
        print_hint(q, &w->hints[i], text);
        (void)json_array_append_new(better, json_pack("{s:s, s:I, s:s}", "hint",
                                                      om_hint_name(w->hints[i].kind), "n",
                                                      (json_int_t)w->hints[i].n, "text", text));
    }
    print_summary(q, peer, text);
    return json_pack("{s:o, s:s, s:b, s:b, s:b, s:s, s:b, s:s, s:o, s:I, s:o, s:o, s:o}", "peer",
                     control_id(peer), "name", name_of(q, peer, name), "connected",
                     (int)w->has_session, "unanswered", (int)(active && is_unanswered(w, active)),
                     "relayed", active && active->via.lane != 0, "summary", text, "udp_blocked",
                     (int)w->is_blocked, "because", w->because, "since_s",
                     seconds_since(q, w->since), "moves", (json_int_t)w->moves, "paths", paths,
                     "attempts", tries, "better", better);
}

json_t *control_why(struct control_ask *ask, struct om_error *err)
{
    struct asked *q = calloc(1, sizeof *q);
    struct om_id peer;
    json_t *result = NULL;
    enum om_err e;

    if (!q) {
        (void)om_fail(err, OM_E_NO_MEM, "out of memory");
        return NULL;
    }
    q->d = ask->d;
    q->now = om_clock_now();
    if (control_other(ask, &q->net, &peer, err)) {
        om_pump_kick(ask->d->pump); /* to be asked about is to be reached */
        e = om_node_path_why(daemon_node(q->d), q->now, &q->net->id, &peer, &q->why);
        if (e == OM_OK)
            result = answer(q, &peer);
        else
            (void)om_fail(err, e, "nothing was tried for that peer yet");
    }
    free(q);
    return result;
}
