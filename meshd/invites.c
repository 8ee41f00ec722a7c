/* invites.c - a short file, written anew with each invitation. */
#include "invites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/wire.h>

#include "host/clock.h"
#include "host/secret_file.h"
#include "members.h"

enum { ENTRY = OM_MEMBER_INVITE + 1 + 2 + 4 + 4, FILE_MAX = INVITES_MAX * ENTRY };

#define FOLDER "networks"

static bool place_of(const struct om_daemon *d, const struct om_id *network,
                     char folder[static OM_HOME_PATH_MAX], char name[static OM_SECRET_NAME_MAX])
{
    char id[OM_ID_TEXT];
    int n = snprintf(folder, OM_HOME_PATH_MAX, "%s/" FOLDER, om_home_path(d->home));

    (void)snprintf(name, OM_SECRET_NAME_MAX, "%s.invites", om_id_print(network, id));
    return n > 0 && n < OM_HOME_PATH_MAX;
}

static unsigned load(const struct om_daemon *d, const struct daemon_network *net,
                     struct invite out[static INVITES_MAX])
{
    char folder[OM_HOME_PATH_MAX], name[OM_SECRET_NAME_MAX];
    uint8_t bytes[FILE_MAX];
    unsigned count = 0;
    size_t n = 0;

    if (!place_of(d, &net->id, folder, name) ||
        om_secret_read(folder, name, bytes, sizeof bytes, &n, NULL) != OM_OK)
        return 0;
    struct om_rd r = om_rd(om_bytes(bytes, n));
    while (om_rd_left(&r) >= ENTRY) {
        struct om_invite_seen *s = &out[count].seen;
        s->network = net->id;
        om_rd_copy(&r, s->id, sizeof s->id);
        s->what.roles = om_rd_u8(&r);
        s->what.uses = om_rd_u16(&r);
        s->what.issued = om_rd_u32(&r);
        s->what.expires = om_rd_u32(&r);
        out[count].left = s->what.uses;
        count++;
    }
    return count;
}

static void save(struct om_daemon *d, const struct daemon_network *net, const struct invite *all,
                 unsigned count)
{
    char folder[OM_HOME_PATH_MAX], name[OM_SECRET_NAME_MAX];
    struct om_error err = {.code = OM_OK};
    uint8_t bytes[FILE_MAX];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    struct om_logline line;

    for (unsigned i = 0; i < count; i++) {
        const struct om_invite_seen *s = &all[i].seen;
        om_wr_copy(&w, s->id, sizeof s->id);
        om_wr_u8(&w, s->what.roles);
        om_wr_u16(&w, s->what.uses);
        om_wr_u32(&w, s->what.issued);
        om_wr_u32(&w, s->what.expires);
    }
    if (place_of(d, &net->id, folder, name) &&
        om_secret_write(folder, name, bytes, om_wr_len(&w), true, &err) == OM_OK)
        return;
    if (!om_log_begin(&line, &d->log, OM_LOG_ERROR, "network", "an invitation cannot be listed"))
        return;
    om_log_str(&line, "why", err.msg);
    om_log_end(&line);
}

/* Whoever came by one of @all has taken up a use of it. */
static void count_uses(const struct om_daemon *d, const struct daemon_network *net,
                       struct invite *all, unsigned count)
{
    struct om_member_state s;
    struct om_id *ids;
    unsigned n = members_list(d, net, &ids);

    for (unsigned i = 0; i < n; i++) {
        if (om_node_member_state(daemon_node(d), om_clock_now(), &net->id, &ids[i], &s) != OM_OK)
            continue;
        for (unsigned k = 0; k < count; k++)
            if (all[k].left > 0 && memcmp(all[k].seen.id, s.member.invite, OM_MEMBER_INVITE) == 0)
                all[k].left--;
    }
    free(ids);
}

static int by_end(const void *a, const void *b)
{
    const struct invite *x = a, *y = b;

    return (x->seen.what.expires > y->seen.what.expires) -
           (x->seen.what.expires < y->seen.what.expires);
}

unsigned invites_list(struct om_daemon *d, const struct daemon_network *net,
                      struct invite out[static INVITES_MAX])
{
    int64_t now_s = om_clock_wall().unix_ms / 1000;
    unsigned n = load(d, net, out), kept = 0;

    count_uses(d, net, out, n);
    for (unsigned i = 0; i < n; i++)
        if (out[i].left > 0 && out[i].seen.what.expires > now_s &&
            !om_node_is_void(daemon_node(d), &net->id, out[i].seen.id))
            out[kept++] = out[i];
    if (kept > 0)
        qsort(out, kept, sizeof *out, by_end);
    return kept;
}

void invites_add(struct om_daemon *d, const struct daemon_network *net, const char *link)
{
    struct invite all[INVITES_MAX];
    struct om_invite_seen seen;

    if (om_invite_read(&seen, link, NULL) != OM_OK)
        return;
    unsigned n = invites_list(d, net, all);
    if (n == INVITES_MAX)
        memmove(all, all + 1, --n * sizeof *all);
    all[n++] = (struct invite){seen, seen.what.uses};
    save(d, net, all, n);
}

void invites_forget(const struct om_daemon *d, const struct om_id *network)
{
    char folder[OM_HOME_PATH_MAX], name[OM_SECRET_NAME_MAX];
    char path[OM_HOME_PATH_MAX + OM_SECRET_NAME_MAX + 1];

    if (!place_of(d, network, folder, name))
        return;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}
