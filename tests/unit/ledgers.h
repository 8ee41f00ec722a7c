/*
 * ledgers.h - a network with an authority and admins: for tests of what they sign
 *
 * What:  keys by number, certificates, and entries signed without a ledger.
 * Why:   a test of forks must sign what an honest ledger would refuse to.
 */
#ifndef OM_TESTS_LEDGERS_H
#define OM_TESTS_LEDGERS_H

#include "harness.h"

#include "network/ledger.h"

enum { LEDGERS_NOW = 1795219200, LEDGERS_DAY = 24 * 3600, LEDGERS_KEYS = 200 };

static const struct om_id ledgers_network = {{9, 9}};

/* Key number @n: 0 is the authority's, then come admins and members as the test likes. */
static inline const struct om_identity *key(unsigned n)
{
    static struct om_identity all[LEDGERS_KEYS];
    uint8_t seed[32] = {(uint8_t)n, (uint8_t)(n >> 8), 1};

    while (om_id_is_zero(&all[n].id) && om_identity_from_seed(&all[n], seed) != OM_OK)
        seed[3]++;
    return &all[n];
}

/* That key number @n is an admin's. */
static inline struct om_bytes admin_cert(uint8_t out[static OM_ADMIN_CERT_BYTES], unsigned n)
{
    struct om_admin_cert c = {.rights = OM_RIGHT_MEMBERS,
                              .issued = LEDGERS_NOW,
                              .expires = LEDGERS_NOW + 90 * LEDGERS_DAY,
                              .key = key(n)->id};

    om_admin_cert_encode(out, &c, key(0), &ledgers_network);
    return om_bytes(out, OM_ADMIN_CERT_BYTES);
}

/* An entry as it travels. */
struct said {
    unsigned by; /* the key's number */
    uint8_t bytes[OM_ADMIN_ENTRY_MAX];
    size_t n;
    uint8_t hash[OM_HASH_BYTES];
};

/* Signed by @by, number @number, after @previous (NULL: none), about the 32 bytes of @subject. */
static inline struct said say(unsigned by, uint32_t number, const struct said *previous,
                              uint8_t kind, const void *subject)
{
    struct om_admin_entry e = {.number = number, .kind = kind};
    struct said s = {.by = by};

    if (previous)
        memcpy(e.previous, previous->hash, sizeof e.previous);
    memcpy(e.subject, subject, kind == OM_ADMIN_INVITE_VOID ? OM_CERT_INVITE : 32);
    s.n = om_admin_entry_encode(s.bytes, &e, key(by), &ledgers_network);
    om_admin_entry_hash(s.hash, om_bytes(s.bytes, s.n));
    return s;
}

/* The authority revokes admin @admin and honours his log up to @last; NULL: nothing of it. */
static inline struct said say_admin(uint32_t number, const struct said *previous, unsigned admin,
                                    uint32_t last_number, const struct said *last)
{
    struct om_admin_entry e = {.number = number, .kind = OM_ADMIN_REVOKED};
    struct said s = {.by = 0};

    if (previous)
        memcpy(e.previous, previous->hash, sizeof e.previous);
    memcpy(e.subject, key(admin)->id.b, sizeof e.subject);
    if (last) {
        e.last = last_number;
        memcpy(e.last_hash, last->hash, sizeof e.last_hash);
    }
    s.n = om_admin_entry_encode(s.bytes, &e, key(0), &ledgers_network);
    om_admin_entry_hash(s.hash, om_bytes(s.bytes, s.n));
    return s;
}

static inline enum om_ledger_put hear(struct om_ledger *l, const struct said *s)
{
    return om_ledger_put(l, &key(s->by)->id, om_bytes(s->bytes, s->n));
}

/* A member's certificate. */
struct member {
    struct om_node_cert c;
    unsigned by;
    uint8_t bytes[OM_NODE_CERT_MAX];
    size_t n;
    uint8_t hash[OM_HASH_BYTES];
};

/* Of key @who by admin @by, @age s after the others, by invite @invite (0: none) of @uses. */
static inline struct member member(unsigned who, unsigned by, uint16_t uses, uint8_t invite,
                                   uint32_t age)
{
    struct member m = {.by = by,
                       .c = {.issued = LEDGERS_NOW + age,
                             .expires = LEDGERS_NOW + age + OM_CERT_LIFE_S,
                             .key = key(who)->id}};

    if (invite > 0) {
        m.c.invite[0] = (uint8_t)(uses >> 8);
        m.c.invite[1] = (uint8_t)uses;
        m.c.invite[7] = invite;
    }
    m.n = om_node_cert_encode(m.bytes, &m.c, key(by), &ledgers_network);
    om_hash(m.hash, om_bytes(m.bytes, m.n), om_bytes(NULL, 0));
    return m;
}

/* As whoever looked at its certificate keeps it. */
static inline struct om_member as_member(const struct member *m)
{
    struct om_member out = {
        .key = m->c.key, .issuer = key(m->by)->id, .number = m->c.number, .issued = m->c.issued};

    memcpy(out.hash, m->hash, sizeof out.hash);
    memcpy(out.invite, m->c.invite, sizeof out.invite);
    return out;
}

static inline enum om_ledger_verdict verdict(const struct om_ledger *l, const struct member *m)
{
    return om_ledger_member(l, om_bytes(m->bytes, m->n), &m->c, &key(m->by)->id);
}

static inline enum om_err note(struct om_ledger *l, const struct member *m)
{
    return om_ledger_note(l, om_bytes(m->bytes, m->n), &m->c, &key(m->by)->id);
}

/* A ledger that knows admins 1 to @admins; false when memory is out, with nothing to release. */
static inline bool ledgers_init(struct om_ledger *l, unsigned admins)
{
    uint8_t cert[OM_ADMIN_CERT_BYTES];

    if (om_ledger_init(l, &ledgers_network, &key(0)->id) != OM_OK)
        return false;
    for (unsigned i = 1; i <= admins; i++) {
        enum om_err e = om_ledger_admin(l, admin_cert(cert, i));
        if (e == OM_E_NO_MEM) {
            om_ledger_fini(l);
            return false;
        }
        CHECK_OK(e);
    }
    return true;
}

/* What @from has and @to has not; how much was told, or -1 without memory. */
static inline int tell(struct om_ledger *from, struct om_ledger *to)
{
    struct om_ledger_head heads[OM_LEDGER_LOGS_MAX];
    unsigned n = om_ledger_heads(to, heads);
    struct om_ledger_walk w;
    struct om_ledger_told t;
    int told = 0;

    om_ledger_walk(&w, heads, n);
    while (om_ledger_walk_next(&w, from, &t)) {
        told++;
        if (t.is_cert ? om_ledger_admin(to, t.bytes) == OM_E_NO_MEM
                      : om_ledger_put(to, t.owner, t.bytes) == OM_LEDGER_NO_MEM)
            return -1;
    }
    return told;
}

#endif
