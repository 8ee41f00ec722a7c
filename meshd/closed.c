/* closed.c - certificates in and out of files. */
#include "closed.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/rotate.h>
#include <omerta/wire.h>

#include "blocks.h"
#include "control/control.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "host/secret_file.h"
#include "invites.h"
#include "ledger_file.h"
#include "membership_parts.h"
#include "names.h"

enum {
    RENEW_S = 30 * 24 * 3600, /* our own certificates, which hold for 90 days, are made anew */
    ISSUED_MAX = 16 << 20,    /* bytes of a file of certificates: some 120,000 */
    PATH_MAX_ISSUED = OM_HOME_PATH_MAX
};

static void warn(struct om_daemon *d, const char *what, const char *why)
{
    struct om_logline line;

    if (!om_log_begin(&line, &d->log, OM_LOG_ERROR, "network", what))
        return;
    om_log_str(&line, "why", why);
    om_log_end(&line);
}

struct om_cert_chain closed_chain(const struct network_file *f)
{
    return (struct om_cert_chain){
        .node = om_bytes(f->certs.node, f->certs.node_len),
        .admin = om_bytes(f->certs.admin, f->is_ours ? 0 : f->certs.admin_len)};
}

static bool issued_path(const struct om_daemon *d, const struct om_id *network,
                        char out[static PATH_MAX_ISSUED])
{
    char id[OM_ID_TEXT];
    int n = snprintf(out, PATH_MAX_ISSUED, "%s/networks/%s.issued", om_home_path(d->home),
                     om_id_print(network, id));

    return n > 0 && n < PATH_MAX_ISSUED;
}

/* So many bytes of @all are whole certificates. */
static size_t give_back(struct om_daemon *d, const struct om_id *network, struct om_bytes all)
{
    struct om_rd r = om_rd(all);
    size_t whole = 0;

    while (om_rd_left(&r) > 0) {
        struct om_bytes cert = om_rd_bytes(&r, om_rd_u8(&r));
        if (r.bad)
            break;
        whole = all.n - om_rd_left(&r);
        enum om_err e = om_node_issued(daemon_node(d), network, cert);
        if (e != OM_OK)
            warn(d, "a certificate of an earlier run is not noted", om_err_text(e));
    }
    return whole;
}

/* What this node issued in earlier runs: who uses an invitation twice must be noticed. */
static bool load_issued(struct om_daemon *d, const struct om_id *network, struct om_error *err)
{
    char path[PATH_MAX_ISSUED], folder[PATH_MAX_ISSUED], id[OM_ID_TEXT], name[OM_SECRET_NAME_MAX];
    uint8_t *bytes = malloc(ISSUED_MAX);
    size_t n = 0;

    if (!bytes)
        return om_fail(err, OM_E_NO_MEM, "no memory for the certificates of a network") == OM_OK;
    (void)snprintf(folder, sizeof folder, "%s/networks", om_home_path(d->home));
    (void)snprintf(name, sizeof name, "%s.issued", om_id_print(network, id));
    enum om_err e = om_secret_read(folder, name, bytes, ISSUED_MAX, &n, err);
    size_t whole = e == OM_OK ? give_back(d, network, om_bytes(bytes, n)) : n;
    /* What is written next must not follow one that the dead wrote by half. */
    if (whole < n && (!issued_path(d, network, path) || truncate(path, (off_t)whole) != 0))
        warn(d, "half a certificate cannot be taken away", strerror(errno));
    free(bytes);
    return e == OM_OK || e == OM_E_MISSING;
}

static bool keep_issued(const struct om_daemon *d, const struct om_id *network,
                        struct om_bytes cert)
{
    uint8_t bytes[1 + OM_CHAIN_NODE_MAX] = {(uint8_t)cert.n};
    char path[PATH_MAX_ISSUED];
    struct stat st = {.st_size = -1};
    int fd = -1;

    if (cert.n <= OM_CHAIN_NODE_MAX && issued_path(d, network, path))
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    memcpy(bytes + 1, cert.p, cert.n);
    bool is_room = fstat(fd, &st) == 0 && st.st_size + (off_t)(1 + cert.n) <= ISSUED_MAX;
    errno = is_room ? 0 : EFBIG; /* what is longer could not be read at the next start */
    bool is_kept =
        is_room && write(fd, bytes, 1 + cert.n) == (ssize_t)(1 + cert.n) && fsync(fd) == 0;
    int why = errno;
    if (!is_kept && is_room)
        (void)!ftruncate(fd, st.st_size); /* what is added next must not follow half of it */
    (void)close(fd);
    errno = why;
    return is_kept;
}

/* Who waits for what is not on the disk does not get it; of many such in a row one is told here. */
static void note_kept(struct om_daemon *d, const struct om_id *network, bool is_kept,
                      const char *what)
{
    const struct daemon_network *known = daemon_network(d, network);
    struct daemon_network *net = known ? &d->networks[known - d->networks] : NULL;
    const bool was_told = net && net->is_unkept;

    if (!is_kept)
        om_node_unkept(daemon_node(d), network);
    if (!is_kept && !was_told)
        warn(d, what, strerror(errno));
    if (net)
        net->is_unkept = !is_kept;
}

void closed_forget(struct om_daemon *d, const struct om_id *network)
{
    char path[PATH_MAX_ISSUED];

    ledger_file_forget(d, network);
    blocks_forget(d, network);
    invites_forget(d, network);
    if (issued_path(d, network, path))
        (void)unlink(path);
}

static void set_certs(struct network_file *f, const void *with)
{
    f->certs = *(const struct om_certs *)with;
}

static void set_epoch(struct network_file *f, const void *with)
{
    const struct om_act_member *m = with;

    f->link.epoch = m->epoch;
    memcpy(f->link.secret, m->secret, sizeof f->link.secret);
    memcpy(f->epochs, m->epochs.p, m->epochs.n);
    f->epochs_len = m->epochs.n;
}

/* Our own certificates in a network that was made here, by the name that we have there, or else by
 * @wish; false when the node takes them not. */
static bool certify(struct om_daemon *d, struct daemon_network *net, const uint8_t *seed,
                    const char *wish, uint32_t now_s, struct om_certs *out)
{
    struct om_node *n = daemon_node(d);
    struct om_member m = {.name = ""};

    if (om_node_member(n, &net->id, &net->self, &m) != OM_OK || !*m.name)
        memcpy(m.name, wish, strlen(wish) + 1);
    if (om_authority_certify(out, seed, &net->self, m.name, now_s) != OM_OK)
        return false;
    const struct om_cert_chain chain = {.node = om_bytes(out->node, out->node_len)};
    net->signed_s = now_s;
    return om_node_credential(n, om_clock_now(), &net->id, &chain) == OM_OK &&
           om_node_authority(n, &net->id, seed) == OM_OK &&
           om_node_admin(n, om_clock_now(), &net->id, om_bytes(out->admin, out->admin_len)) ==
               OM_OK;
}

static uint32_t unix_s(void)
{
    return (uint32_t)(om_clock_wall().unix_ms / 1000);
}

/* A node without them has the newest secret all the same, but not those that others come by. */
static void recall_epochs(struct om_daemon *d, const struct network_file *f)
{
    enum om_err e = f->epochs_len > 0 ? om_node_epochs(daemon_node(d), om_clock_now(), &f->link.id,
                                                       om_bytes(f->epochs, f->epochs_len))
                                      : OM_OK;

    if (e != OM_OK)
        warn(d, "earlier secrets of a network are not taken back", om_err_text(e));
}

/* We are an admin of @network if the second of @c is ours: else it is that of who signed the first,
 * and the node does not take it. */
static void take_office(struct om_daemon *d, const struct om_id *network, const struct om_certs *c)
{
    enum om_err e = c->admin_len == 0 ? OM_E_CRYPTO
                                      : om_node_admin(daemon_node(d), om_clock_now(), network,
                                                      om_bytes(c->admin, c->admin_len));
    if (e != OM_OK && e != OM_E_CRYPTO)
        warn(d, "this node cannot be an admin", om_err_text(e));
}

bool closed_begin(struct om_daemon *d, struct daemon_network *net, struct network_file *f,
                  const char *as, struct om_error *err)
{
    char wish[OM_MEMBER_NAME_MAX + 1];

    if (!ledger_file_load(d, &net->id, err))
        return false;
    recall_epochs(d, f);
    if (!load_issued(d, &net->id, err))
        return false;
    if (!f->is_ours) {
        take_office(d, &net->id, &f->certs);
        return true;
    }
    return (names_wish(d, as, wish, err) && certify(d, net, f->seed, wish, unix_s(), &f->certs)) ||
           om_fail(err, OM_E_CRYPTO, "the certificates of network %s cannot be made", net->name) ==
               OM_OK;
}

void closed_renew(struct om_daemon *d, struct daemon_network *net, uint32_t now_s)
{
    struct network_file f;
    struct om_certs certs;

    if (now_s - net->signed_s < RENEW_S ||
        network_file_read(om_home_path(d->home), &net->id, &f, NULL) != OM_OK)
        return;
    if (!certify(d, net, f.seed, "", now_s, &certs))
        warn(d, "own certificates cannot be renewed", net->name);
    om_pump_kick(d->pump);
    sodium_memzero(&f, sizeof f);
}

/* By an admin who is not the authority. */
static bool invite_as_admin(struct om_daemon *d, const struct daemon_network *net,
                            const struct om_invite *i, const struct om_network_link *at,
                            char out[static OM_NETWORK_LINK_TEXT], struct om_error *err)
{
    switch (om_node_invite(daemon_node(d), om_clock_now(), &net->id, i, at->peers, at->peer_count,
                           out)) {
    case OM_OK:
        return true;
    case OM_E_STATE:
        return om_fail(err, OM_E_STATE, "only an admin of a closed network can invite into it") ==
               OM_OK;
    case OM_E_RANGE:
        return om_fail(err, OM_E_STATE, "only who made a closed network can invite an admin") ==
               OM_OK;
    default:
        return om_fail(err, OM_E_STATE, "no invitation can be made") == OM_OK;
    }
}

static bool invite_as_authority(struct om_daemon *d, const struct daemon_network *net,
                                const struct om_invite *i, const struct om_network_link *at,
                                char out[static OM_NETWORK_LINK_TEXT], struct om_error *err)
{
    const struct om_rng rng = om_entropy();
    struct network_file f;

    if (network_file_read(om_home_path(d->home), &net->id, &f, err) != OM_OK)
        return false;
    f.link.peer_count = at->peer_count;
    memcpy(f.link.peers, at->peers, sizeof f.link.peers);
    enum om_err e = om_authority_invite(out, f.seed, &f.link, i, &rng);
    sodium_memzero(&f, sizeof f);
    return e == OM_OK || om_fail(err, e, "no invitation can be made") == OM_OK;
}

bool closed_invite(struct om_daemon *d, const struct daemon_network *net, const struct om_invite *i,
                   const struct om_addr *at, char out[static OM_NETWORK_LINK_TEXT],
                   struct om_error *err)
{
    struct om_network_link where = {.peer_count = 0};
    struct om_invite asked = *i;

    asked.issued = unix_s();
    asked.expires += asked.issued;
    if (at)
        where.peers[where.peer_count++] = (struct om_network_peer){net->self, *at};
    else
        membership_add_known(d, net, &where);
    return net->is_ours ? invite_as_authority(d, net, &asked, &where, out, err)
                        : invite_as_admin(d, net, &asked, &where, out, err);
}

bool closed_join(struct om_daemon *d, const struct om_network_link *l, const char *text,
                 const char *name, const char *as, struct om_error *err)
{
    struct daemon_joining *j = &d->joining[d->joining_count];
    char chosen[OM_NAME_MAX + 1], wish[OM_MEMBER_NAME_MAX + 1];
    struct om_id id;

    if (daemon_network(d, &l->id))
        return om_fail(err, OM_E_EXISTS, "in that network already: it is called \"%s\" here",
                       daemon_network(d, &l->id)->name) == OM_OK;
    if (d->joining_count == OM_JOINING_MAX)
        return om_fail(err, OM_E_FULL, "%d networks are being joined: wait for one of them",
                       OM_JOINING_MAX) == OM_OK;
    if (!membership_choose_name(d, l, name, chosen, err) || !names_wish(d, as, wish, err))
        return false;
    membership_make_room(d);
    if (om_node_join_by_link(daemon_node(d), om_clock_now(), text, wish, &id, err) != OM_OK) {
        membership_settle(d);
        return false;
    }
    *j = (struct daemon_joining){.id = id,
                                 .authority = l->authority,
                                 .peer_count = l->peer_count,
                                 .is_made_up = name == NULL};
    memcpy(j->peers, l->peers, sizeof j->peers);
    memcpy(j->name, chosen, sizeof chosen);
    d->joining_count++;
    om_pump_kick(d->pump);
    return true;
}

static bool copy_certs(struct om_certs *out, const struct om_cert_chain *chain)
{
    if (chain->node.n > sizeof out->node || chain->admin.n > sizeof out->admin)
        return false;
    *out = (struct om_certs){.node_len = chain->node.n, .admin_len = chain->admin.n};
    memcpy(out->node, chain->node.p, chain->node.n);
    memcpy(out->admin, chain->admin.p, chain->admin.n);
    return true;
}

/* The file of what @j became by @m. */
static bool fill(struct om_daemon *d, struct network_file *f, const struct daemon_joining *j,
                 const struct om_act_member *m)
{
    *f = (struct network_file){.link = {.kind = OM_NETWORK_CLOSED,
                                        .id = j->id,
                                        .authority = j->authority,
                                        .epoch = m->epoch,
                                        .peer_count = j->peer_count}};
    memcpy(f->link.secret, m->secret, sizeof f->link.secret);
    memcpy(f->link.peers, j->peers, sizeof j->peers);
    memcpy(f->name, j->name, sizeof f->name);
    if (j->is_made_up && *m->called) /* what the admin calls it, unless that is another's here */
        (void)membership_choose_name(d, &f->link, m->called, f->name, NULL);
    return copy_certs(&f->certs, &m->chain);
}

static void joined(struct om_daemon *d, const struct daemon_joining *j,
                   const struct om_act_member *m)
{
    struct om_error err = {.code = OM_E_RANGE, .msg = "the certificate is longer than any"};
    const struct daemon_network *net = NULL;
    struct network_file f;

    if (fill(d, &f, j, m) && network_file_write(d->home, &f, &err) == OM_OK) {
        net = membership_list(d, &j->id, &f);
        take_office(d, &j->id, &f.certs);
    } else {
        (void)!om_node_leave(daemon_node(d), om_clock_now(), &j->id);
    }
    sodium_memzero(&f, sizeof f);
    membership_settle(d);
    membership_changed(d);
    control_joined(d->control, &j->id, net ? daemon_network(d, &j->id) : NULL, &err);
}

static void refused(struct om_daemon *d, const struct daemon_joining *j, enum om_join_why why)
{
    struct om_error err;

    (void)!om_node_leave(daemon_node(d), om_clock_now(), &j->id);
    ledger_file_forget(d, &j->id);
    membership_settle(d);
    membership_changed(d);
    (void)om_fail(&err, OM_E_STATE, "%s", om_join_why_text(why));
    control_joined(d->control, &j->id, NULL, &err);
}

/* The joining of @network into @out, and out of the list; false: it is none. */
static bool take_joining(struct om_daemon *d, const struct om_id *network,
                         struct daemon_joining *out)
{
    for (unsigned i = 0; i < d->joining_count; i++) {
        if (!om_id_equal(&d->joining[i].id, network))
            continue;
        *out = d->joining[i];
        d->joining[i] = d->joining[--d->joining_count];
        return true;
    }
    return false;
}

void closed_act(struct om_daemon *d, const struct om_act_member *m)
{
    struct om_error err = {.code = OM_E_RANGE, .msg = "it is longer than any"};
    struct daemon_joining j;
    struct om_certs certs;

    switch (m->news) {
    case OM_MEMBER_JOINED:
        if (take_joining(d, &m->network, &j))
            joined(d, &j, m);
        break;
    case OM_MEMBER_REFUSED:
        if (take_joining(d, &m->network, &j))
            refused(d, &j, m->why);
        break;
    case OM_MEMBER_RENEWED:
        if (!copy_certs(&certs, &m->chain) ||
            !membership_rewrite(d, &m->network, set_certs, &certs, &err))
            warn(d, "a renewed certificate cannot be kept", err.msg);
        else
            take_office(d, &m->network, &certs);
        break;
    case OM_MEMBER_ISSUED:
        note_kept(d, &m->network, keep_issued(d, &m->network, m->chain.node),
                  "a certificate that was made cannot be kept: nobody is let in");
        break;
    case OM_MEMBER_LEDGER:
        note_kept(d, &m->network, ledger_file_add(d, &m->network, m->ledger),
                  "what an admin signed cannot be kept: nothing is signed here");
        break;
    case OM_MEMBER_EPOCH:
        if (m->epochs.n > OM_EPOCHS_KEPT_MAX ||
            !membership_rewrite(d, &m->network, set_epoch, m, &err))
            warn(d, "the network's new secret cannot be kept", err.msg);
        membership_changed(d); /* hellos go elsewhere */
        break;
    }
}
