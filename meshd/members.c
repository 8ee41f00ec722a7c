/* members.c - from words to keys, and from a person's wish to what an admin signs. */
#include "members.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <omerta/authority.h>
#include <omerta/block.h>
#include <omerta/close.h>
#include <omerta/text.h>

#include "host/clock.h"
#include "netstack/dns/zone.h"
#include "network_file.h"
#include "trouble.h"

unsigned members_list(const struct om_daemon *d, const struct daemon_network *net,
                      struct om_id **out)
{
    struct om_node *n = daemon_node(d);

    if (!net->is_closed)
        return daemon_peers(d, &net->id, out);
    unsigned count = om_node_members(n, &net->id, NULL, 0);
    *out = calloc(count > 0 ? count : 1, sizeof **out);
    return *out ? om_node_members(n, &net->id, *out, count) : 0;
}

/* @name with the start of the id of @key behind it, as om_node_names() tells two apart. */
static void add_id(const char *name, const struct om_id *key, char out[static NAMES_TEXT])
{
    char id[OM_ID_TEXT];

    (void)snprintf(out, NAMES_TEXT, "%.*s-%.*s", (int)OM_MEMBER_NAME_MAX, name, (int)OM_NAMED_ID,
                   om_id_print(key, id));
}

static bool is_taken(const struct names *names, const char *name)
{
    for (unsigned i = 0; i < names->count; i++)
        if (strcmp(names->all[i].name, name) == 0)
            return true;
    return false;
}

/* What a certificate says of @key who has no name of @names: who was put out, or was not met since
 * the start. Return: is it a member no more? */
static bool given_name(const struct names *names, const struct om_id *key,
                       char out[static NAMES_TEXT])
{
    struct om_member_state s;

    out[0] = '\0';
    if (om_node_member_state(daemon_node(names->d), om_clock_now(), &names->network, key, &s) !=
        OM_OK)
        return false;
    (void)snprintf(out, NAMES_TEXT, "%s", s.member.name);
    return s.standing != OM_STANDING_GOOD;
}

const char *members_named(const struct names *names, const struct om_id *key,
                          char out[static NAMES_TEXT])
{
    char given[NAMES_TEXT];

    if (*names_find(names, key, out) || !names->is_signed)
        return out;
    (void)given_name(names, key, given);
    if (*given && is_taken(names, given))
        add_id(given, key, out);
    else
        memcpy(out, given, sizeof given);
    return out;
}

const char *members_name(const struct om_daemon *d, const struct daemon_network *net,
                         const struct om_id *key, char out[static NAMES_TEXT])
{
    struct names names;

    names_load(&names, d, net);
    (void)members_named(&names, key, out);
    names_free(&names);
    return out;
}

static int by_key(const void *a, const void *b)
{
    return om_id_cmp(a, b);
}

/* As members_list(), and whom this node blocks, in order of keys; some are there twice. */
static unsigned members_and_blocked(const struct om_daemon *d, const struct daemon_network *net,
                                    struct om_id **out)
{
    unsigned n = members_list(d, net, out);
    struct om_id *all = realloc(*out, (n + OM_BLOCKED_MAX) * sizeof *all);

    if (!all)
        return n;
    *out = all;
    n += om_node_blocked(daemon_node(d), &net->id, all + n, OM_BLOCKED_MAX);
    if (n > 0)
        qsort(all, n, sizeof *all, by_key);
    return n;
}

/* Is @key called @text? Behind all others, and so only with @is_last, come who is a member no more
 * and, in a network without members, what anybody says of himself. */
static bool is_called(const struct names *names, const struct om_id *key, const char *text,
                      bool is_last)
{
    char name[NAMES_TEXT], whole[NAMES_TEXT];
    bool is_behind = !*names_find(names, key, name) && names->is_signed
                         ? given_name(names, key, name)
                         : !names->is_signed;

    if (!*name)
        return false;
    add_id(name, key, whole);
    return (is_behind == is_last && strcasecmp(name, text) == 0) ||
           (names->is_signed && strcasecmp(whole, text) == 0);
}

/* Which of the @n keys at @ids @text means, into @out. Return: how many. */
static unsigned find(const struct names *names, const struct om_id *ids, unsigned n,
                     const char *text, bool is_last, struct om_id *out)
{
    size_t len = strlen(text);
    char full[OM_ID_TEXT];
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        if (!is_called(names, &ids[i], text, is_last) &&
            (len < OM_ZONE_START || strncasecmp(om_id_print(&ids[i], full), text, len) != 0))
            continue;
        if (count > 0 && om_id_equal(out, &ids[i])) /* known, and blocked */
            continue;
        *out = ids[i];
        count++;
    }
    return count;
}

bool members_find(const struct om_daemon *d, const struct daemon_network *net, const char *text,
                  struct om_id *out, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    struct names names;
    struct om_id *ids;

    if (strlen(text) == OM_ID_TEXT - 1 && om_id_parse(out, text, NULL) == OM_OK)
        return true;
    unsigned n = members_and_blocked(d, net, &ids);
    names_load(&names, d, net);
    unsigned found = *text ? find(&names, ids, n, text, false, out) : 0;
    if (found == 0 && *text)
        found = find(&names, ids, n, text, true, out);
    names_free(&names);
    free(ids);
    if (found == 1)
        return true;
    if (found == 0)
        return om_fail(err, OM_E_MISSING, "nobody is known as \"%.40s\" in network %s",
                       om_text_show(shown, text), net->name) == OM_OK;
    return om_fail(err, OM_E_RANGE,
                   "\"%.40s\" is ambiguous: %u of network %s are called so; say the id",
                   om_text_show(shown, text), found, net->name) == OM_OK;
}

/* Is this node an admin of @net, so that it may sign? */
static bool may_sign(const struct om_daemon *d, const struct daemon_network *net,
                     struct om_error *err)
{
    struct om_member_state own;

    if (!net->is_closed)
        return om_fail(err, OM_E_STATE,
                       "network %s is not closed: nobody can be put out of it, but omerta network "
                       "block "
                       "keeps somebody away from this machine",
                       net->name) == OM_OK;
    return (om_node_member_state(daemon_node(d), om_clock_now(), &net->id, &net->self, &own) ==
                OM_OK &&
            own.is_admin) ||
           om_fail(
               err, OM_E_STATE,
               "only an admin of network %s can do that; omerta network block keeps somebody away "
               "from this machine",
               net->name) == OM_OK;
}

/* What was signed in @net is on the disk by the end of this, or was not said. */
static bool keep(struct om_daemon *d, const struct daemon_network *net, struct om_error *err)
{
    bool *is_unkept = &d->networks[net - d->networks].is_unkept;

    *is_unkept = false;
    om_pump_kick(d->pump);
    return !*is_unkept ||
           om_fail(err, OM_E_STATE,
                   "it cannot be kept in this home, so it was not said: omerta log has why; make "
                   "room on its disk, then say it again") == OM_OK;
}

/* The authority's word, which only who made the network has. */
static bool end_admin(struct om_daemon *d, const struct daemon_network *net,
                      const struct om_id *key, struct om_error *err)
{
    struct network_file f;

    if (!net->is_ours)
        return om_fail(err, OM_E_STATE,
                       "that is an admin: only who made network %s can put one out",
                       net->name) == OM_OK;
    if (network_file_read(om_home_path(d->home), &net->id, &f, err) != OM_OK)
        return false;
    enum om_err e = om_node_unadmin(daemon_node(d), om_clock_now(), &net->id, f.seed, key);
    sodium_memzero(&f, sizeof f);
    return e == OM_OK ? keep(d, net, err)
                      : om_fail(err, e, "the admin cannot be put out: %s", om_err_text(e)) == OM_OK;
}

bool members_revoke(struct om_daemon *d, const struct daemon_network *net, const struct om_id *key,
                    bool stay, struct om_error *err)
{
    struct om_node *n = daemon_node(d);
    struct om_member_state s;

    if (!may_sign(d, net, err))
        return false;
    if (om_id_equal(key, &net->self))
        return om_fail(err, OM_E_RANGE, "that is this node itself: omerta network leave goes") ==
               OM_OK;
    enum om_err e = om_node_member_state(n, om_clock_now(), &net->id, key, &s);
    if (e == OM_OK && stay && !s.has_word)
        return om_fail(err, OM_E_RANGE, "that is no admin, so there is nothing to stay as") ==
               OM_OK;
    if (e == OM_OK && s.has_word && !end_admin(d, net, key, err))
        return false;
    if (e == OM_OK && !stay)
        e = om_node_revoke(n, om_clock_now(), &net->id, key);
    return e == OM_OK ? keep(d, net, err)
                      : om_fail(err, e, "cannot be revoked: %s",
                                e == OM_E_STATE ? "what this admin said before has to be heard "
                                                  "again first; wait for other members"
                                                : om_err_text(e)) == OM_OK;
}

/* The invitation that @text names, if it is one of @net. */
static bool read_invite(const struct daemon_network *net, const char *text,
                        uint8_t invite[static OM_MEMBER_INVITE], struct om_error *err)
{
    struct om_invite_seen seen;
    size_t n = 0;

    if (strlen(text) == 2 * (size_t)OM_MEMBER_INVITE &&
        sodium_hex2bin(invite, OM_MEMBER_INVITE, text, strlen(text), NULL, &n, NULL) == 0 &&
        n == OM_MEMBER_INVITE)
        return true;
    if (om_invite_read(&seen, text, NULL) != OM_OK)
        return om_fail(err, OM_E_RANGE,
                       "no invitation: want its 16 hex digits, as network show has them, or its "
                       "link") == OM_OK;
    memcpy(invite, seen.id, OM_MEMBER_INVITE);
    return om_id_equal(&seen.network, &net->id) ||
           om_fail(err, OM_E_RANGE, "that link is one of another network") == OM_OK;
}

bool members_void(struct om_daemon *d, const struct daemon_network *net, const char *text,
                  uint8_t invite[static OM_MEMBER_INVITE], struct om_error *err)
{
    if (!may_sign(d, net, err) || !read_invite(net, text, invite, err))
        return false;
    enum om_err e = om_node_void(daemon_node(d), om_clock_now(), &net->id, invite);
    return e == OM_OK ? keep(d, net, err)
                      : om_fail(err, e, "cannot be taken back: %s", om_err_text(e)) == OM_OK;
}

/* members_name() of @key, or else the start of its id. */
static const char *name_or_id(const struct om_daemon *d, const struct daemon_network *net,
                              const struct om_id *key, char out[static NAMES_TEXT])
{
    char brief[OM_ID_SHORT];

    if (!*members_name(d, net, key, out))
        (void)snprintf(out, NAMES_TEXT, "%s", om_id_short(key, brief));
    return out;
}

static void put_out(struct om_daemon *d, struct daemon_network *net, const struct om_id *by)
{
    char name[NAMES_TEXT];
    struct om_logline line;

    if (net->is_out)
        return;
    net->is_out = true;
    net->out_by = *by;
    if (!om_log_begin(&line, &d->log, OM_LOG_WARN, "network", "this node was put out"))
        return;
    om_log_str(&line, "network", net->name);
    om_log_str(&line, "by", name_or_id(d, net, by, name));
    om_log_end(&line);
}

static bool is_peer_of(const struct om_daemon *d, const struct daemon_network *net,
                       const struct om_id *peer)
{
    struct om_peer_info info;

    return om_node_peer_info(daemon_node(d), om_clock_now(), &net->id, peer, &info) == OM_OK;
}

void members_event(struct om_daemon *d, const struct om_event *e)
{
    bool is_told = e->kind == OM_EVENT_CLOSED && e->a == OM_CLOSE_REVOKED && e->b == 0;
    struct om_member_state s;

    for (unsigned i = 0; i < d->network_count; i++) {
        struct daemon_network *net = &d->networks[i];
        if (!net->is_closed)
            continue;
        trouble_event(net, e, is_peer_of(d, net, &e->peer));
        if (e->kind == OM_EVENT_REVOKED && om_id_equal(&e->peer, &net->self) &&
            om_node_member_state(daemon_node(d), om_clock_now(), &net->id, &e->peer, &s) == OM_OK)
            put_out(d, net, &s.revoker);
        /* A member said so in a session of its own; others may not have heard of it yet. */
        else if (is_told &&
                 om_node_member_state(daemon_node(d), om_clock_now(), &net->id, &e->peer, &s) ==
                     OM_OK &&
                 s.has_cert)
            put_out(d, net, &e->peer);
        else if (e->kind == OM_EVENT_SESSION_UP && om_id_equal(&e->peer, &net->out_by))
            net->is_out = false;
    }
}

bool members_why_not(const struct om_daemon *d, const struct daemon_network *net,
                     const struct om_id *key, char *out, size_t size)
{
    char name[NAMES_TEXT], by[NAMES_TEXT], shown[OM_SHOW_TEXT], safe[OM_SHOW_TEXT];
    struct om_member_state s;

    (void)members_name(d, net, key, name);
    if (om_node_is_blocked(daemon_node(d), &net->id, key)) {
        (void)snprintf(out, size, "%.40s is blocked here: omerta network block --undo lets it come",
                       *name ? om_text_show(shown, name) : "that peer");
        return true;
    }
    if (!net->is_closed ||
        om_node_member_state(daemon_node(d), om_clock_now(), &net->id, key, &s) != OM_OK)
        return false;
    (void)members_name(d, net, s.standing == OM_STANDING_REVOKED ? &s.revoker : &net->out_by, by);
    (void)om_text_show(shown, name_or_id(d, net, key, name));
    (void)om_text_show(safe, by[0] ? by : "a member");
    if (s.standing == OM_STANDING_REVOKED)
        (void)snprintf(out, size, "%.40s was put out of network %s by %.40s", shown, net->name,
                       safe);
    else if (s.standing == OM_STANDING_ISSUER || s.standing == OM_STANDING_SUPERSEDED)
        (void)snprintf(out, size, "%.40s is a member of network %s no more: %s", shown, net->name,
                       om_standing_name(s.standing));
    else if (net->is_out)
        (void)snprintf(out, size, "this node was put out of network %s, says %.40s", net->name,
                       safe);
    else
        return false;
    return true;
}
