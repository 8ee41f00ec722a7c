/*
 * state.h - the daemon's parts, shared by the files of this folder and of control/
 *
 * What:  struct om_daemon and the functions by which its files hand work to one another.
 * Why:   the daemon only wires: each part is a module of its own, and this is where they hang.
 */
#ifndef OM_MESHD_STATE_H
#define OM_MESHD_STATE_H

#include <uv.h>

#include <omerta/info.h>
#include <omerta/list.h>
#include <omerta/network_link.h>
#include <omerta/table.h>

#include "bootstrap.h"
#include "config.h"
#include "eventlog.h"
#include "exit.h"
#include "host/home.h"
#include "host/lan.h"
#include "host/netwatch.h"
#include "host/pump.h"
#include "host/resolve.h"
#include "host/store.h"
#include "inbox.h"
#include "ipc/place.h"
#include "latency.h"
#include "logfile.h"
#include "tunnel/host/calls.h"

enum {
    OM_BOOTSTRAPS_MAX = 16,
    OM_RECONNECT_MAX = 32, /* peers of the last run that are called at start */
    OM_JOINING_MAX = 4,    /* closed networks that are being joined */
    OM_PONGS_MAX = 256     /* pings of programs under way */
};

struct control;
struct data;
struct tunnels;
struct links;
struct vms;
struct wanted;
struct offers;
struct metrics_server;
struct mapping;
struct cloisters;
struct handovers;

/* What a node tells of a closed network that is silent. */
enum daemon_trouble {
    DAEMON_TROUBLE_NONE,
    DAEMON_TROUBLE_OUTDATED, /* the secret may be too old */
    DAEMON_TROUBLE_EARLY,    /* a certificate is of the future by this calendar */
    DAEMON_TROUBLE_OVER      /* or over */
};

struct daemon_network {
    struct om_id id, self;
    char name[OM_NAME_MAX + 1];
    bool is_open;        /* whoever has its link may be in it, and do what members may */
    bool is_direct;      /* of pinned keys only */
    bool is_default;     /* the built-in one */
    bool is_closed;      /* of members by certificate */
    bool is_ours;        /* closed, and made here */
    bool is_shy;         /* the machine's name is not told there */
    bool is_unkept;      /* closed, and what was to be kept of it last was not */
    bool is_out;         /* closed, and we were put out of it, says */
    struct om_id out_by; /* this member */
    uint32_t signed_s;   /* of such a one: when our own certificates were made */
    unsigned pin_count;  /* of a direct one, as it is kept */
    unsigned pins_left;
    enum daemon_trouble trouble; /* the last, until somebody answers */
    uint64_t pins_until_s;
};

/* A closed network that is being joined: the node is in it, and does nothing there but ask. */
struct daemon_joining {
    struct om_id id, authority;
    unsigned peer_count;
    struct om_network_peer peers[OM_NETWORK_PEERS_MAX]; /* of the link */
    char name[OM_NAME_MAX + 1];
    bool is_made_up; /* the name: a better one may be told */
};

struct daemon_bootstrap {
    struct om_daemon *daemon;
    const char *text; /* as configured */
    struct om_bootstrap at;
    struct om_id network;
    struct om_resolve *resolve; /* under way; NULL */
    uv_timer_t retry;
    unsigned failures;
};

struct om_daemon {
    uv_loop_t loop;
    struct om_place place;
    struct om_config config;      /* in force */
    struct om_config_flags flags; /* of the command line; they go before the file */
    char config_file[OM_PATH_MAX];
    struct om_home *home;
    struct om_store *store;
    struct om_pump *pump;
    struct om_netwatch *netwatch;
    struct om_lan *lan;
    struct mapping *mapping;
    struct om_logfile logfile;
    struct om_log log;
    struct om_eventlog events;
    struct daemon_network networks[OM_NETWORKS_MAX];
    unsigned network_count;
    struct daemon_joining joining[OM_JOINING_MAX];
    unsigned joining_count;
    struct daemon_bootstrap bootstraps[OM_BOOTSTRAPS_MAX];
    unsigned bootstrap_count;
    struct control *control;
    struct om_calls *calls;
    struct data *data;
    struct tunnels *tunnels;
    struct links *links;
    struct vms *vms;
    struct wanted *wanted;
    struct offers *offers;
    struct cloisters *cloisters;
    struct handovers *handovers;
    struct metrics_server *metrics;
    struct inbox inbox;
    struct latency latency;
    uint64_t happened[OM_EVENT_COUNT]; /* events, by kind */
    uv_signal_t signals[3];            /* TERM, INT, HUP */
    uv_timer_t watchdog, clock;
    om_time started_at;
    struct om_wall started;
    bool has_logs, is_ready, is_stopping;
    enum om_exit exit;
};

/* daemon.c */

/**
 * daemon_run() - be the daemon until it is told to stop
 * @d:  zeroed but place, flags and config_file; config is that of flags and file
 *
 * Return: the exit code.
 */
enum om_exit daemon_run(struct om_daemon *d);

/** daemon_stop() - end @d with @code once everything is saved. */
void daemon_stop(struct om_daemon *d, enum om_exit code);

/** daemon_node() - the node of @d. */
struct om_node *daemon_node(const struct om_daemon *d);

/* networks.c */

/** daemon_network() - the network of @d with @id, or NULL. */
const struct daemon_network *daemon_network(const struct om_daemon *d, const struct om_id *id);

/** daemon_network_named() - the network of @d that @text names (its name or the start of its id, as
 *  written, else whatever the case; NULL: the only one); NULL with @err when there is none or more
 *  than one. */
const struct daemon_network *daemon_network_named(const struct om_daemon *d, const char *text,
                                                  struct om_error *err);

/* meet.c */

/** daemon_bootstrap() - resolve and connect to the bootstrap peers of the configuration of @d;
 *  false and @err when one makes no sense. */
bool daemon_bootstrap(struct om_daemon *d, struct om_error *err);

/** daemon_bootstrap_again() - the network changed: ask resolvers of @d anew, without waiting. */
void daemon_bootstrap_again(struct om_daemon *d);

/** daemon_bootstrap_stop() - forget about them, at the end of @d. */
void daemon_bootstrap_stop(struct om_daemon *d);

/* presence.c */

/** daemon_presence() - tell the networks of @d where it is, now and whenever that changes; false
 *  and @err when that cannot be watched. */
bool daemon_presence(struct om_daemon *d, struct om_error *err);

/** daemon_own_addrs() - where others find @d, the best first, into @out; how many. */
unsigned daemon_own_addrs(const struct om_daemon *d, struct om_addr out[OM_ANNOUNCE_ENDS]);

/** daemon_presence_tell() - say again in the networks of @d where it is and what it is called. */
void daemon_presence_tell(struct om_daemon *d);

/** daemon_network_changed() - links, addresses or routes of this machine are others, as @what of
 *  enum om_net_change says: everything of @d that stands on them looks again. */
void daemon_network_changed(struct om_daemon *d, unsigned what);

/** daemon_presence_stop() - no longer, at the end of @d. */
void daemon_presence_stop(struct om_daemon *d);

/* memory.c */

/** daemon_recall() - give the node of @d back what the store kept of earlier runs; false and @err
 *  when it cannot be read. */
bool daemon_recall(struct om_daemon *d, struct om_error *err);

/** daemon_keep() - have the store of @d keep what @act, a REMEMBER or a RECORD, brought. */
void daemon_keep(struct om_daemon *d, const struct om_act *act);

/** daemon_remember_peer() - have the store of @d keep where @peer of @net was heard just now. */
void daemon_remember_peer(struct om_daemon *d, const struct daemon_network *net,
                          const struct om_id *peer);

/* reach.c */

/** daemon_peers() - who is known in @network to @d, in order of keys; @out is the caller's to free.
 *  Return: how many. */
unsigned daemon_peers(const struct om_daemon *d, const struct om_id *network, struct om_id **out);

/**
 * daemon_reach() - see to it that the node knows how to reach a peer that anybody knows
 * @d:     the daemon
 * @net:   its network
 * @peer:  its key
 *
 * Return: OM_OK; OM_E_MISSING when nobody ever mentioned it.
 */
OM_MUST enum om_err daemon_reach(struct om_daemon *d, const struct daemon_network *net,
                                 const struct om_id *peer);

/* reload.c */

/** daemon_config_load() - defaults, the file of @d, then its flags into @out; false and @err. */
bool daemon_config_load(const struct om_daemon *d, struct om_config *out, struct om_error *err);

/**
 * daemon_reload() - read the configuration again; all of it takes effect, or nothing
 * @d:        the daemon
 * @changed:  called for each key that differs, as om_config_diff()
 * @self:     its first argument
 * @err:      sentence for a person
 *
 * Return: false when the new configuration is refused; nothing changed then.
 */
bool daemon_reload(struct om_daemon *d,
                   void (*changed)(void *self, const struct om_config_key *key,
                                   const char *was_text, const char *is_text),
                   void *self, struct om_error *err);

/* acts.c */

/** daemon_event() - have everybody know who wants to that @e happened in @d. */
void daemon_event(struct om_daemon *d, const struct om_event *e);

/** daemon_act() - do what the node of daemon @self wants beside sending: @act. */
void daemon_act(void *self, const struct om_act *act);

#endif
