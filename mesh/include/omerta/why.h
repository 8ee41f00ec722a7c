/*
 * why.h - why a peer is reached the way it is, and what would make that better
 *
 * What:  a snapshot of every way to one peer, of what was tried and what came of it, of why data
 *        goes where it goes, and hints; and what a node knows of its own connection.
 * Why:   "it is slow" and "it does not connect" are questions of people; they are answered by what
 *        really happened, and not by guesses.
 * Keeps: why_says_blocked_before_all_else; why_of_a_relayed_pair_names_the_remedy;
 *        why_of_a_direct_pair_wants_nothing; why_tells_of_a_nearer_relay;
 *        node_why_of_a_direct_pair; node_why_of_silence_is_blocked_udp;
 *        node_why_one_silent_peer_is_no_blocked_udp; node_why_tells_what_was_not_asked;
 *        node_hairpin_is_what_comes_back; node_hairpin_asks_three_times.
 *
 * Texts are static, in small letters, and the same in every version.
 */
#ifndef OMERTA_WHY_H
#define OMERTA_WHY_H

#include <omerta/node.h>
#include <omerta/via.h>

enum {
    OM_WHY_PATHS_MAX = 16,
    OM_ATTEMPTS_MAX = 24, /* kept of each peer */
    OM_WHY_HINTS_MAX = 4,
    OM_NETCHECK_RELAYS_MAX = 32,
    OM_NETCHECK_SEEN_MAX = 4,
    OM_BLOCKED_ASKS = 6, /* questions to far addresses that nobody answered, */
    OM_BLOCKED_S = 5     /* over so long: then UDP seems blocked */
};

enum om_attempt_what {
    OM_ATTEMPT_HANDSHAKE, /* a first word to an address */
    OM_ATTEMPT_ADDRESS,   /* is the peer at that address, too? */
    OM_ATTEMPT_LANE,      /* a relay was asked to carry */
    OM_ATTEMPT_PUNCH,     /* both sides at once, through their routers */
    OM_ATTEMPT_WHATS
};

enum om_attempt_saw {
    OM_SAW_NOTHING_YET,
    OM_SAW_ANSWER,
    OM_SAW_SILENCE,
    OM_SAW_ANOTHER, /* another way answered first */
    OM_SAW_REFUSAL, /* reason says why */
    OM_SAW_END,     /* it worked, and is over */
    OM_SAW_UNASKED, /* nothing was sent: reason says why */
    OM_SAWS
};

struct om_attempt {
    enum om_attempt_what what;
    enum om_attempt_saw saw;
    om_time first, at; /* the first and the last time that it was tried */
    unsigned times;
    struct om_addr addr;       /* zero for a lane */
    struct om_id relay;        /* zero for an address */
    uint32_t lane;             /* our number of it */
    const char *origin;        /* of the address: who says so; "" where it does not matter */
    om_time took;              /* until the answer */
    const char *reason;        /* "" when there is none */
    const char *way;           /* PUNCH: what was planned, "easy", "spread" ... */
    const char *ours, *theirs; /* PUNCH: what is known of both NATs */
    uint64_t datagrams;        /* PUNCH: that we sent */
};

struct om_why_path {
    struct om_via via;
    struct om_id relay;           /* zero: direct */
    const char *origin;           /* "handshake", "heard", "said", "punched" */
    const char *state;            /* "unproven", "valid", "failed" */
    om_time rtt;                  /* 0: no sample */
    om_time score;                /* less is better; OM_NEVER when it cannot be used */
    unsigned loss;                /* of questions, 1/1000 */
    om_time added, heard, proven; /* OM_NEVER: never */
};

/* What would help; n says how much. */
enum om_hint_kind {
    OM_HINT_UDP_BLOCKED,  /* n = questions that nobody answered */
    OM_HINT_SILENT,       /* nothing that was tried was answered */
    OM_HINT_NO_ADDRESS,   /* nobody says where the peer is */
    OM_HINT_NO_RELAY,     /* no relay is known */
    OM_HINT_WAIT,         /* a direct way is being looked for; n = ms to the next attempt */
    OM_HINT_MAP_PORT,     /* our router maps no port to us */
    OM_HINT_OPEN_PORT,    /* both routers are too strict: one of them must map a port */
    OM_HINT_HAIRPIN,      /* both are behind one router that does not turn datagrams round */
    OM_HINT_IPV6,         /* this machine has none */
    OM_HINT_NEARER_RELAY, /* n = milliseconds that it is nearer */
    OM_HINT_KINDS
};

struct om_hint {
    enum om_hint_kind kind;
    uint64_t n;
    struct om_id relay; /* NEARER_RELAY */
};

struct om_path_why {
    bool has_session;
    bool is_blocked;     /* UDP seems blocked: nobody far away ever answered */
    bool is_mapped;      /* a router maps a port to us, or none needs to */
    bool has_v6;         /* this machine has a far-reaching IPv6 address */
    bool knows_address;  /* somebody says where the peer is */
    bool is_punching;    /* it is under way */
    om_time again;       /* until the next attempt to punch; OM_NEVER: none is planned */
    unsigned asked;      /* far addresses, in vain, since anything was heard */
    unsigned relays;     /* that are known, or lead somewhere else */
    struct om_id nearer; /* a relay that is nearer than the one in use; zero: none */
    om_time gain;        /* by so much */
    unsigned path_count;
    struct om_why_path paths[OM_WHY_PATHS_MAX];
    int active;          /* index; -1: none carries */
    const char *because; /* "first", "better" ...; "" when none carries */
    om_time since;       /* when it was chosen; OM_NEVER */
    uint64_t moves;      /* of data from one way to another */
    unsigned attempt_count;
    struct om_attempt attempts[OM_ATTEMPTS_MAX]; /* oldest first */
    unsigned hint_count;
    struct om_hint hints[OM_WHY_HINTS_MAX]; /* most useful first */
};

/* What is known of one family of addresses. */
struct om_netcheck_family {
    bool is_heard;       /* somebody far away was heard over it on this network */
    bool is_blocked;     /* see OM_BLOCKED_ASKS */
    unsigned asked;      /* in vain since then */
    om_time asked_since; /* OM_NEVER: nothing is unanswered */
    unsigned samples, witnesses;
    bool is_believed;
    bool is_strict;      /* every destination has another outside port */
    const char *kind;    /* "open", "eim", "stride", "block", "random", "dead", "unknown" */
    const char *reuse;   /* "shared", "exclusive", "unknown": ports by several destinations */
    const char *filter;  /* whom it lets in: "anybody", "address", "port", "unknown" */
    const char *hairpin; /* "yes", "no", "unknown" */
    uint16_t first_port, last_port; /* of a range; 0 */
    int stride;
    unsigned seen_count;
    struct om_addr seen[OM_NETCHECK_SEEN_MAX]; /* where others see us, newest first */
    om_time life_alive, life_dead; /* bounds of how long a mapping lives in silence; 0: unknown */
};

struct om_netcheck_relay {
    struct om_id id;
    struct om_addr addr;
    bool is_warm; /* a session is kept with it */
    om_time rtt;  /* 0: not measured */
};

struct om_netcheck {
    struct om_netcheck_family families[2]; /* IPv4, IPv6 */
    unsigned relay_count;
    struct om_netcheck_relay relays[OM_NETCHECK_RELAYS_MAX]; /* warm ones first, then the nearest */
};

/**
 * om_node_path_why() - why a peer is reached as it is
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a known peer
 * @out:      filled on success
 *
 * Return: OM_OK or OM_E_MISSING.
 */
OM_MUST enum om_err om_node_path_why(const struct om_node *n, om_time now,
                                     const struct om_id *network, const struct om_id *peer,
                                     struct om_path_why *out);

/**
 * om_node_netcheck() - how this node is connected, by what others answered
 * @n:        the node
 * @now:      time
 * @network:  whose relays to list; unknown: none
 * @out:      filled
 */
void om_node_netcheck(struct om_node *n, om_time now, const struct om_id *network,
                      struct om_netcheck *out);

/** om_attempt_what_name() - "handshake", "lane" ... of @w; "unknown" for any other. */
const char *om_attempt_what_name(enum om_attempt_what w);

/** om_attempt_saw_name() - "answer", "silence" ... of @s; "unknown" for any other. */
const char *om_attempt_saw_name(enum om_attempt_saw s);

/** om_hint_name() - "udp_blocked", "open_port" ... of @k; "unknown" for any other. */
const char *om_hint_name(enum om_hint_kind k);

#endif
