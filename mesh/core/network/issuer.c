/* issuer.c - who was made a member, and by which invitation. */
#include "network/issuer.h"

#include <stdlib.h>

#include <sodium.h>

#include "crypto/kdf.h"
#include "network/ledger_parts.h"
#include "network/names.h"

enum {
    SHARED = 0x64400000, /* 100.64.0.0 */
    SHARED_MASK = (1 << 22) - 1,
    ROOM_FIRST = 16
};

void om_issuer_fini(struct om_issuer *i)
{
    free(i->all);
    *i = (struct om_issuer){.number = 0};
}

static struct om_issued *find(const struct om_issuer *i, const struct om_id *key)
{
    for (unsigned k = 0; k < i->count; k++)
        if (om_id_equal(&i->all[k].key, key))
            return &i->all[k];
    return NULL;
}

bool om_issuer_find(const struct om_issuer *i, const struct om_id *key, struct om_issued *out)
{
    const struct om_issued *at = find(i, key);

    if (at)
        *out = *at;
    return at != NULL;
}

void om_issuer_put_back(struct om_issuer *i, const struct om_id *key,
                        const struct om_issued *before)
{
    struct om_issued *at = find(i, key);

    if (at && before)
        *at = *before;
    else if (at)
        *at = i->all[--i->count];
}

/* Where one more is noted; NULL without room, and @e says why. */
static struct om_issued *add(struct om_issuer *i, enum om_err *e)
{
    unsigned room = i->room ? 2 * i->room : ROOM_FIRST;

    *e = i->count == OM_ISSUED_MAX ? OM_E_FULL : OM_E_NO_MEM;
    if (i->count == OM_ISSUED_MAX)
        return NULL;
    if (i->count == i->room) {
        struct om_issued *more = realloc(i->all, room * sizeof *more);
        if (!more)
            return NULL;
        i->all = more;
        i->room = room;
    }
    i->all[i->count] = (struct om_issued){.made = 0};
    return &i->all[i->count++];
}

enum om_err om_issuer_note(struct om_issuer *i, const struct om_node_cert *c)
{
    struct om_issued *at = find(i, &c->key);
    enum om_err e = OM_OK;

    if (!at)
        at = add(i, &e);
    if (!at)
        return e;
    *at = (struct om_issued){.key = c->key,
                             .overlay = c->overlay,
                             .expires = c->expires,
                             .day = at->day,
                             .made = at->made};
    memcpy(at->invite, c->invite, sizeof at->invite);
    memcpy(at->name, c->name, sizeof at->name);
    if (c->number > i->number)
        i->number = c->number;
    return OM_OK;
}

enum om_err om_issuer_heard(struct om_issuer *i, const struct om_member *m)
{
    struct om_issued *at = find(i, &m->key);
    enum om_err e = OM_OK;

    if (!at)
        at = add(i, &e);
    if (!at)
        return e;
    *at = (struct om_issued){.key = m->key,
                             .overlay = m->overlay,
                             .expires = m->until,
                             .day = at->day,
                             .made = at->made};
    memcpy(at->invite, m->invite, sizeof at->invite);
    memcpy(at->name, m->name, sizeof at->name);
    return OM_OK;
}

/* Is what @o was given his yet? */
static bool is_held(const struct om_issued *o, const struct om_id *but, uint32_t now_s)
{
    return !o->is_out && (uint64_t)o->expires + OM_CERT_RENEW_S + OM_CERT_SKEW_S >= now_s &&
           !om_id_equal(&o->key, but);
}

static bool has_name(const struct om_issuer *i, const char *name, const struct om_id *but,
                     uint32_t now_s)
{
    for (unsigned k = 0; k < i->count; k++)
        if (strcmp(i->all[k].name, name) == 0 && is_held(&i->all[k], but, now_s))
            return true;
    return false;
}

/* @wished for @key to @out, or the first of its kind that nobody has: there is one, members being
 * fewer than numbers. */
static void choose_name(const struct om_issuer *i, const char *wished, const struct om_id *key,
                        uint32_t now_s, char out[static OM_CERT_NAME_MAX + 1])
{
    unsigned nth = 1;

    do
        om_names_vary(out, wished, nth++);
    while (*out && (strcmp(out, OM_NAME_SELF) == 0 || has_name(i, out, key, now_s)));
}

static unsigned uses_of(const struct om_issuer *i, const uint8_t invite[static OM_CERT_INVITE],
                        const struct om_id *but)
{
    unsigned n = 0;

    for (unsigned k = 0; k < i->count; k++)
        n += memcmp(i->all[k].invite, invite, OM_CERT_INVITE) == 0 &&
             !om_id_equal(&i->all[k].key, but);
    return n;
}

bool om_issuer_is_used(const struct om_issuer *i, const struct om_ledger *l,
                       const struct om_grant *grant, const struct om_id *key)
{
    unsigned uses = uses_of(i, grant->invite, key), at = 0;
    const struct om_id *user;

    if (uses + om_ledger_noted(l, grant->invite) < grant->uses)
        return false; /* nearly always, also of a link for thousands */
    while (uses < grant->uses && (user = om_ledger_user(l, grant->invite, &at)) != NULL) {
        const struct om_issued *had = find(i, user);
        bool is_counted = had && memcmp(had->invite, grant->invite, sizeof had->invite) == 0;
        uses += !is_counted && !om_id_equal(user, key);
    }
    return uses >= grant->uses;
}

static bool is_taken(const struct om_issuer *i, uint32_t overlay, const struct om_id *but,
                     uint32_t now_s)
{
    for (unsigned k = 0; k < i->count; k++)
        if (i->all[k].overlay == overlay && is_held(&i->all[k], but, now_s))
            return true;
    return false;
}

static uint32_t first_overlay(const struct om_id *key)
{
    uint8_t hash[OM_KEY_BYTES];

    om_kdf(hash, key->b, "v4", om_bytes(NULL, 0));
    struct om_rd r = om_rd(om_bytes(hash, sizeof hash));
    return om_rd_u32(&r) & SHARED_MASK;
}

static bool is_host(uint32_t at)
{
    return at != 0 && at != SHARED_MASK;
}

uint32_t om_issuer_overlay(const struct om_id *key)
{
    uint32_t at = first_overlay(key);

    while (!is_host(at))
        at = (at + 1) & SHARED_MASK;
    return SHARED | at;
}

/* There is a free one: members are fewer than addresses. */
static uint32_t draw_overlay(const struct om_issuer *i, const struct om_id *key, uint32_t now_s)
{
    uint32_t at = first_overlay(key);

    while (!is_host(at) || is_taken(i, SHARED | at, key, now_s))
        at = (at + 1) & SHARED_MASK;
    return SHARED | at;
}

/* Has @key had all that it may have in a day? Else it would fill our log, which then takes no
 * revocation either. */
static bool is_sated(struct om_issuer *i, const struct om_id *key, uint32_t now_s)
{
    struct om_issued *had = find(i, key);
    const uint32_t day = now_s / (24 * 3600);

    if (!had)
        return false;
    if (had->day != day) {
        had->day = day;
        had->made = 0;
    }
    return had->made++ >= OM_ISSUED_A_DAY;
}

enum om_err om_issuer_admit(struct om_issuer *i, const struct om_network *net,
                            const struct om_grant *grant, const struct om_id *key, const char *name,
                            uint32_t now_s, struct om_node_cert *out)
{
    size_t n = strnlen(name, OM_CERT_NAME_MAX + 1);
    struct om_node_cert c = {.roles = grant->role,
                             .number = i->number + 1,
                             .issued = now_s,
                             .expires = now_s + OM_CERT_LIFE_S,
                             .key = *key};

    if (n > 0 && !om_cert_is_name(name, n))
        return OM_E_RANGE;
    if (uses_of(i, grant->invite, key) >= grant->uses)
        return OM_E_STATE;
    if (om_id_equal(key, &net->self.id))
        return OM_E_EXISTS;
    if (is_sated(i, key, now_s))
        return OM_E_MISSING;
    memcpy(c.invite, grant->invite, sizeof c.invite);
    const struct om_issued *had = find(i, key);
    if (had && !had->is_out && *had->name) /* a name is held once: it left another one behind */
        memcpy(c.name, had->name, sizeof c.name);
    else
        choose_name(i, name, key, now_s, c.name);
    c.overlay = draw_overlay(i, key, now_s);
    enum om_err e = om_issuer_note(i, &c);
    if (e == OM_OK)
        *out = c;
    return e;
}

enum om_err om_issuer_renew(struct om_issuer *i, const struct om_member *m, uint32_t now_s,
                            struct om_node_cert *out)
{
    struct om_node_cert c = {.roles = m->roles,
                             .number = i->number + 1,
                             .issued = m->issued,
                             .expires = now_s + OM_CERT_LIFE_S,
                             .overlay = m->overlay,
                             .key = m->key};

    if (is_sated(i, &m->key, now_s))
        return OM_E_MISSING;
    memcpy(c.invite, m->invite, sizeof c.invite);
    memcpy(c.name, m->name, sizeof c.name);
    enum om_err e = om_issuer_note(i, &c);
    if (e == OM_OK)
        *out = c;
    return e;
}
