/* keyring.c - the order in which keys are tried. */
#include "network/keyring.h"

#include <sodium.h>

#include <omerta/wire.h>

static void via_key(const struct om_via *via, uint8_t out[static OM_VIA_KEY])
{
    struct om_wr w = om_wr(om_mut(out, OM_VIA_KEY));

    om_addr_write(&w, &via->remote);
    om_wr_u32(&w, via->socket);
    om_wr_u32(&w, via->lane);
}

enum om_err om_keyring_init(struct om_keyring *k, const uint8_t sip_key[static 16], bool locked,
                            om_time now)
{
    k->vault = om_vault_new(sizeof(struct om_epoch), OM_KEYRING_MAX, locked);
    if (!k->vault)
        return OM_E_NO_MEM;
    enum om_err e = om_lru_init(&k->hints, OM_VIA_KEY, sizeof(uint32_t), OM_HINTS_MAX, sip_key);
    if (e != OM_OK) {
        om_vault_free(k->vault);
        k->vault = NULL;
        return e;
    }
    om_bucket_init(&k->tries, OM_TRIES_PER_S, OM_TRIES_PER_S, now);
    return OM_OK;
}

void om_keyring_fini(struct om_keyring *k)
{
    if (!k->vault)
        return;
    for (unsigned i = 0; i < k->count; i++)
        om_vault_give(k->vault, k->epochs[i]);
    om_lru_fini(&k->hints);
    om_vault_free(k->vault);
    *k = (struct om_keyring){0};
}

static void forget(struct om_keyring *k, struct om_epoch *e)
{
    unsigned i = 0;

    while (i < k->count && k->epochs[i] != e)
        i++;
    OM_BUG_IF(i == k->count);
    for (; i + 1 < k->count; i++)
        k->epochs[i] = k->epochs[i + 1];
    k->count--;
    om_vault_give(k->vault, e);
}

static bool is_closed(const struct om_network *net)
{
    return !net->is_open && !om_id_is_zero(&net->authority);
}

static bool is_to_join(const struct om_epoch *e)
{
    for (unsigned i = 0; i < e->network->join_count; i++)
        if (e->network->joins[i] == e)
            return true;
    return false;
}

static bool is_retained(const struct om_epoch *e)
{
    for (unsigned i = 0; i < e->network->retained_count; i++)
        if (e->network->retained[i] == e)
            return true;
    return false;
}

static bool is_needed(const struct om_epoch *e)
{
    return e->sessions > 0 || e == e->network->current || e == e->network->previous ||
           is_retained(e) || is_to_join(e);
}

/* A new epoch of @net, of which no key is set. */
static enum om_err take(struct om_keyring *k, struct om_network *net, struct om_epoch **out)
{
    if (k->count == OM_KEYRING_MAX)
        return OM_E_FULL;
    *out = om_vault_take(k->vault);
    if (!*out)
        return OM_E_NO_MEM;
    (*out)->network = net;
    (*out)->accept_until = OM_NEVER;
    (*out)->serial = ++k->serial;
    k->epochs[k->count++] = *out;
    return OM_OK;
}

/* The oldest of those by which @net is joined goes. */
static void drop_join(struct om_keyring *k, struct om_network *net)
{
    struct om_epoch *old = net->joins[--net->join_count];

    if (!is_needed(old))
        forget(k, old);
}

enum om_err om_keyring_add_join(struct om_keyring *k, om_time now, struct om_network *net,
                                uint32_t number, const uint8_t secret[static 32])
{
    struct om_epoch *e;
    enum om_err error;

    while (net->join_count > 0 && (net->join_count == OM_JOIN_EPOCHS_MAX ||
                                   net->joins[net->join_count - 1]->accept_until <= now))
        drop_join(k, net);
    error = take(k, net, &e);
    if (error != OM_OK)
        return error;
    om_epoch_derive_join(e, number, secret);
    if (net->join_count > 0)
        net->joins[0]->accept_until = now + OM_SEC(OM_EPOCH_JOIN_S);
    for (unsigned i = net->join_count++; i > 0; i--)
        net->joins[i] = net->joins[i - 1];
    net->joins[0] = e;
    if (!net->current)
        net->current = e;
    return OM_OK;
}

/* The keys by which an epoch of a closed network is joined. */
static enum om_err add_twin(struct om_keyring *k, om_time now, struct om_network *net,
                            uint32_t number, const uint8_t secret[static 32])
{
    uint8_t join[OM_KEY_BYTES];

    if (!is_closed(net))
        return OM_OK;
    om_epoch_join_secret(join, secret);
    enum om_err e = om_keyring_add_join(k, now, net, number, join);
    sodium_memzero(join, sizeof join);
    return e;
}

/* Who joined has no more use for the keys by which he did. */
static void end_joining(struct om_keyring *k, struct om_network *net)
{
    struct om_epoch *e = net->current;

    if (!e || !e->is_join)
        return;
    net->current = NULL;
    net->join_count = 0;
    if (!is_needed(e))
        forget(k, e);
}

static void drop_retained(struct om_keyring *k, struct om_network *net, unsigned at)
{
    struct om_epoch *old = net->retained[at];

    net->retained_count--;
    for (unsigned i = at; i < net->retained_count && i + 1 < OM_RETAINED_EPOCHS_MAX; i++)
        net->retained[i] = net->retained[i + 1];
    old->behind_until = 0;
    if (!is_needed(old))
        forget(k, old);
}

/* @old was the previous one of @net. */
static void retain(struct om_keyring *k, om_time now, struct om_network *net, struct om_epoch *old)
{
    if (!is_closed(net)) {
        if (!is_needed(old))
            forget(k, old);
        return;
    }
    if (net->retained_count == OM_RETAINED_EPOCHS_MAX)
        drop_retained(k, net, OM_RETAINED_EPOCHS_MAX - 1);
    for (unsigned i = net->retained_count++; i > 0; i--)
        net->retained[i] = net->retained[i - 1];
    net->retained[0] = old;
    old->accept_until = om_time_min(old->accept_until, now);
}

static bool has_secret(const struct om_epoch *e, uint32_t number, const uint8_t secret[static 32])
{
    return e->number == number && sodium_memcmp(e->secret, secret, sizeof e->secret) == 0;
}

/* One that was given up for another's may be the better one after all. */
static void drop_same(struct om_keyring *k, struct om_network *net, uint32_t number,
                      const uint8_t secret[static 32])
{
    struct om_epoch *old = net->previous;

    for (unsigned i = net->retained_count; i > 0; i--)
        if (has_secret(net->retained[i - 1], number, secret))
            drop_retained(k, net, i - 1);
    if (old && has_secret(old, number, secret)) {
        net->previous = NULL;
        old->behind_until = 0;
        if (!is_needed(old))
            forget(k, old);
    }
}

void om_keyring_expire(struct om_keyring *k, om_time now, struct om_network *net)
{
    for (unsigned i = net->retained_count; i > 0; i--)
        if (net->retained[i - 1]->behind_until <= now)
            drop_retained(k, net, i - 1);
    if (net->retained_count == OM_RETAINED_EPOCHS_MAX && net->previous &&
        om_epoch_is_behind(net->previous, now))
        drop_retained(k, net, OM_RETAINED_EPOCHS_MAX - 1);
    while (net->join_count > 0 && net->joins[net->join_count - 1]->accept_until <= now)
        drop_join(k, net);
}

enum om_err om_keyring_add(struct om_keyring *k, om_time now, struct om_network *net,
                           uint32_t number, const uint8_t secret[static 32])
{
    struct om_epoch *old, *e;

    drop_same(k, net, number, secret);
    enum om_err error = take(k, net, &e);

    if (error != OM_OK)
        return error;
    om_epoch_derive(e, number, secret);
    end_joining(k, net);
    old = net->previous;
    net->previous = net->current;
    net->current = e;
    if (net->previous) {
        net->previous->accept_until = now + OM_SEC(OM_EPOCH_PREVIOUS_S);
        net->previous->behind_until = is_closed(net) ? now + OM_SEC(OM_EPOCH_BEHIND_S) : 0;
    }
    if (old)
        retain(k, now, net, old);
    return add_twin(k, now, net, number, secret);
}

/* The keys by which an epoch of the past is joined, which ended so long ago. */
static enum om_err add_past_twin(struct om_keyring *k, om_time now, struct om_network *net,
                                 const struct om_epoch *past, om_time age)
{
    uint8_t join[OM_KEY_BYTES];
    struct om_epoch *e;

    if (net->join_count == OM_JOIN_EPOCHS_MAX)
        return OM_OK;
    enum om_err error = take(k, net, &e);
    if (error != OM_OK)
        return error;
    om_epoch_join_secret(join, past->secret);
    om_epoch_derive_join(e, past->number, join);
    e->accept_until = now + OM_SEC(OM_EPOCH_JOIN_S) - age;
    net->joins[net->join_count++] = e;
    sodium_memzero(join, sizeof join);
    return OM_OK;
}

enum om_err om_keyring_past(struct om_keyring *k, om_time now, struct om_network *net,
                            uint32_t number, const uint8_t secret[static 32], om_time age)
{
    struct om_epoch *e;

    OM_BUG_IF(!is_closed(net) || !net->current || net->current->is_join);
    if (age < 0)
        age = 0; /* the calendar was set back */
    if (age >= OM_SEC(OM_EPOCH_BEHIND_S) || net->retained_count == OM_RETAINED_EPOCHS_MAX)
        return OM_OK;
    enum om_err error = take(k, net, &e);
    if (error != OM_OK)
        return error;
    om_epoch_derive(e, number, secret);
    e->behind_until = now + OM_SEC(OM_EPOCH_BEHIND_S) - age;
    e->accept_until = now;
    if (net->previous || net->retained_count > 0) {
        net->retained[net->retained_count++] = e;
    } else {
        net->previous = e;
        if (age < OM_SEC(OM_EPOCH_PREVIOUS_S))
            e->accept_until = now + OM_SEC(OM_EPOCH_PREVIOUS_S) - age;
    }
    return add_past_twin(k, now, net, e, age);
}

void om_keyring_unref(struct om_keyring *k, struct om_epoch *e)
{
    OM_BUG_IF(e->sessions == 0);
    e->sessions--;
    if (!is_needed(e))
        forget(k, e);
}

void om_keyring_leave(struct om_keyring *k, struct om_network *net)
{
    net->current = net->previous = NULL;
    net->join_count = net->retained_count = 0;
    for (unsigned i = k->count; i-- > 0;) {
        if (k->epochs[i]->network != net)
            continue;
        OM_BUG_IF(k->epochs[i]->sessions > 0);
        forget(k, k->epochs[i]);
    }
}

bool om_epoch_accepts(const struct om_epoch *e, om_time now)
{
    bool is_past = e == e->network->previous || is_retained(e);

    if (is_past && now < e->behind_until)
        return true;
    return (is_past || e == e->network->current || is_to_join(e)) && now < e->accept_until;
}

bool om_epoch_is_behind(const struct om_epoch *e, om_time now)
{
    return now >= e->accept_until;
}

void om_trial_begin(struct om_trial *t, struct om_keyring *k, const struct om_via *via,
                    bool maybe_handshake)
{
    uint8_t key[OM_VIA_KEY];

    *t = (struct om_trial){.maybe_handshake = maybe_handshake};
    via_key(via, key);
    const uint32_t *serial = om_lru_find(&k->hints, key);
    for (unsigned i = 0; serial && i < k->count && !t->hint; i++)
        if (k->epochs[i]->serial == *serial)
            t->hint = k->epochs[i];
}

/* Could the datagram be under @e at all? */
static bool is_worth_trying(const struct om_trial *t, const struct om_epoch *e, om_time now)
{
    return e->sessions > 0 || (t->maybe_handshake && om_epoch_accepts(e, now));
}

struct om_epoch *om_trial_next(struct om_trial *t, struct om_keyring *k, om_time now, bool *spent)
{
    unsigned max = t->maybe_handshake ? OM_KEYRING_MAX : OM_TRIES_DATA_MAX;

    if (t->hint && !t->hint_done) {
        t->hint_done = true;
        if (is_worth_trying(t, t->hint, now))
            return t->hint;
    }
    while (t->next < k->count && t->tried < max) {
        struct om_epoch *e = k->epochs[t->next++];
        if (e == t->hint || !is_worth_trying(t, e, now))
            continue;
        if (!om_bucket_take(&k->tries, now, 1)) {
            *spent = true;
            return NULL;
        }
        t->tried++;
        return e;
    }
    return NULL;
}

void om_keyring_hit(struct om_keyring *k, struct om_epoch *e, const struct om_via *via)
{
    uint8_t key[OM_VIA_KEY];
    unsigned i = 0;

    via_key(via, key);
    uint32_t *serial = om_lru_put(&k->hints, key, &(bool){false});
    if (serial)
        *serial = e->serial;
    while (i < k->count && k->epochs[i] != e)
        i++;
    OM_BUG_IF(i == k->count);
    for (; i > 0; i--)
        k->epochs[i] = k->epochs[i - 1];
    k->epochs[0] = e;
}
