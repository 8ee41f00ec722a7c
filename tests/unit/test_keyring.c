/* test_keyring.c - which epochs there are, and in which order a datagram tries them. */
#include "harness.h"

#include "network/keyring.h"

enum { NETWORKS = 40 };

static const uint8_t sip_key[16] = {1};

struct ring {
    struct om_keyring k;
    struct om_network net[OM_KEYRING_MAX + 1];
};

static enum om_err add(struct ring *r, om_time now, unsigned net, uint32_t number)
{
    uint8_t secret[32] = {(uint8_t)net, (uint8_t)number};

    return om_keyring_add(&r->k, now, &r->net[net], number, secret);
}

/* @n networks, each in its epoch 0, with @sessions sessions in it. */
static bool ring_init(struct ring *r, unsigned n, unsigned sessions)
{
    memset(r, 0, sizeof *r);
    if (om_keyring_init(&r->k, sip_key, false, 0) != OM_OK)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (add(r, 0, i, 0) != OM_OK) {
            om_keyring_fini(&r->k);
            return false;
        }
        r->net[i].current->sessions = sessions;
    }
    return true;
}

static struct om_via via_of(uint32_t which)
{
    return (struct om_via){.remote = om_addr_v4(0x0a000000 + which, 18002)};
}

/* A whole walk that finds nothing; returns its length, and the epochs in @out when not NULL. */
static unsigned walk(struct ring *r, om_time now, const struct om_via *via, bool handshake,
                     struct om_epoch **out, bool *spent)
{
    struct om_trial t;
    struct om_epoch *e;
    unsigned n = 0;

    *spent = false;
    om_trial_begin(&t, &r->k, via, handshake);
    while ((e = om_trial_next(&t, &r->k, now, spent)) != NULL) {
        if (out)
            out[n] = e;
        n++;
    }
    return n;
}

static void drain(struct ring *r, om_time now)
{
    while (om_bucket_take(&r->k.tries, now, 1))
        ;
}

OM_TEST(keyring_tries_the_hint_first)
{
    struct om_via known = via_of(1), other = via_of(2), port = known, lane = known, sock = known;
    struct om_epoch *order[NETWORKS];
    static struct ring r;
    bool spent;

    OM_TRY(ring_init(&r, 4, 1));
    om_keyring_hit(&r.k, r.net[2].current, &known);
    OM_TRY(om_lru_count(&r.k.hints) == 1);
    om_keyring_hit(&r.k, r.net[3].current, &other);
    CHECK_EQ(walk(&r, 0, &known, false, order, &spent), 4);
    CHECK(order[0] == r.net[2].current); /* by hint */
    CHECK(order[1] == r.net[3].current); /* then the most recently used */
    CHECK(order[2] == r.net[0].current && order[3] == r.net[1].current);
    CHECK_EQ(walk(&r, 0, &other, false, order, &spent), 4);
    CHECK(order[0] == r.net[3].current && order[1] == r.net[2].current);

    port.remote.port++; /* each part of the way counts */
    lane.lane++;
    sock.socket++;
    const struct om_via *near[] = {&port, &lane, &sock};
    for (size_t i = 0; i < OM_ARRAY_SIZE(near); i++) {
        CHECK_EQ(walk(&r, 0, near[i], false, order, &spent), 4);
        CHECK(order[0] == r.net[3].current);
    }
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_hint_costs_no_budget)
{
    struct om_via known = via_of(1), other = via_of(2);
    struct om_epoch *order[NETWORKS];
    static struct ring r;
    bool spent;

    OM_TRY(ring_init(&r, 3, 1));
    om_keyring_hit(&r.k, r.net[1].current, &known);
    OM_TRY(om_lru_count(&r.k.hints) == 1);
    drain(&r, 0);
    CHECK_EQ(walk(&r, 0, &known, false, order, &spent), 1);
    CHECK(order[0] == r.net[1].current && spent);
    CHECK_EQ(walk(&r, 0, &other, false, order, &spent), 0);
    CHECK(spent);
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_bounds_trials)
{
    struct om_via stranger = via_of(9);
    static struct ring r;
    unsigned tried = 0;
    bool spent;

    OM_TRY(ring_init(&r, NETWORKS, 1));
    CHECK_EQ(walk(&r, 0, &stranger, false, NULL, &spent), OM_TRIES_DATA_MAX);
    CHECK_EQ(walk(&r, 0, &stranger, true, NULL, &spent), NETWORKS);
    CHECK(!spent);
    tried = OM_TRIES_DATA_MAX + NETWORKS;
    do {
        tried += walk(&r, 0, &stranger, false, NULL, &spent);
    } while (!spent);
    CHECK_EQ(tried, OM_TRIES_PER_S);
    CHECK_EQ(walk(&r, 0, &stranger, true, NULL, &spent), 0);
    CHECK(spent);
    CHECK_EQ(walk(&r, OM_MS(1), &stranger, false, NULL, &spent), OM_TRIES_PER_S / 1000);
    CHECK(spent);
    CHECK_EQ(walk(&r, OM_SEC(1), &stranger, false, NULL, &spent), OM_TRIES_DATA_MAX);
    CHECK(!spent);
out:
    om_keyring_fini(&r.k);
}

/* What no datagram can be under is not tried, so that it uses up neither maximum nor budget. */
OM_TEST(keyring_tries_only_what_may_fit)
{
    struct om_via stranger = via_of(9);
    struct om_epoch *order[NETWORKS] = {NULL};
    static struct ring r;
    bool spent;

    OM_TRY(ring_init(&r, NETWORKS, 0));
    r.net[NETWORKS - 1].current->sessions = 1; /* behind more than OM_TRIES_DATA_MAX others */
    CHECK_EQ(walk(&r, 0, &stranger, false, order, &spent), 1);
    CHECK(order[0] == r.net[NETWORKS - 1].current && !spent);
    CHECK_EQ(walk(&r, 0, &stranger, true, NULL, &spent), NETWORKS);
    r.net[NETWORKS - 1].current->sessions = 0;
    drain(&r, 0);
    CHECK_EQ(walk(&r, 0, &stranger, false, NULL, &spent), 0);
    CHECK(!spent);

    om_keyring_hit(&r.k, r.net[0].current, &stranger); /* nor is a hint without sessions */
    CHECK_EQ(walk(&r, 0, &stranger, false, NULL, &spent), 0);
    OM_TRY(om_lru_count(&r.k.hints) == 1);
    CHECK_EQ(walk(&r, 0, &stranger, true, order, &spent), 1);
    CHECK(order[0] == r.net[0].current);
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_keeps_epochs_with_sessions)
{
    static struct ring r;

    OM_TRY(ring_init(&r, 1, 2));
    struct om_network *net = &r.net[0];
    struct om_epoch *first = net->current;
    OM_TRY(add(&r, 0, 0, 1) == OM_OK);
    CHECK(net->previous == first);
    OM_TRY(add(&r, 0, 0, 2) == OM_OK);
    CHECK_EQ(r.k.count, 3);
    CHECK_EQ(net->previous->number, 1);
    CHECK(!om_epoch_accepts(first, 0)); /* its sessions live, new ones are not made */
    om_keyring_unref(&r.k, first);
    CHECK_EQ(r.k.count, 3);
    om_keyring_unref(&r.k, first); /* the last session: freed */
    CHECK_EQ(r.k.count, 2);

    OM_TRY(add(&r, 0, 0, 3) == OM_OK); /* epoch 1 had none: freed at once */
    CHECK_EQ(r.k.count, 2);
    CHECK_EQ(net->current->number, 3);
    CHECK_EQ(net->previous->number, 2);
    net->current->sessions = net->previous->sessions = 1; /* these two need no sessions to stay */
    om_keyring_unref(&r.k, net->current);
    om_keyring_unref(&r.k, net->previous);
    CHECK_EQ(r.k.count, 2);
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_previous_accepts_for_ten_minutes)
{
    const om_time at = OM_SEC(1000), end = at + OM_SEC(600);
    static struct ring r;

    OM_TRY(ring_init(&r, 1, 0));
    struct om_network *net = &r.net[0];
    CHECK(om_epoch_accepts(net->current, 0));
    OM_TRY(add(&r, at, 0, 1) == OM_OK);
    CHECK(om_epoch_accepts(net->current, OM_NEVER - 1));
    CHECK(om_epoch_accepts(net->previous, at));
    CHECK(om_epoch_accepts(net->previous, end - 1));
    CHECK(!om_epoch_accepts(net->previous, end));
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_hint_never_names_a_later_epoch)
{
    struct om_via via = via_of(1);
    static struct ring r;
    struct om_trial t;

    OM_TRY(ring_init(&r, 1, 0));
    om_keyring_hit(&r.k, r.net[0].current, &via);
    OM_TRY(om_lru_count(&r.k.hints) == 1);
    om_trial_begin(&t, &r.k, &via, true);
    CHECK(t.hint == r.net[0].current);
    for (uint32_t number = 1; number < 10; number++) { /* the freed one's place is taken again */
        OM_TRY(add(&r, 0, 0, number) == OM_OK);
        om_trial_begin(&t, &r.k, &via, true);
        CHECK(number == 1 ? t.hint == r.net[0].previous : t.hint == NULL);
    }
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_forgets_the_oldest_hint)
{
    struct om_via via;
    static struct ring r;
    struct om_trial t;

    OM_TRY(ring_init(&r, 2, 1));
    for (uint32_t i = 0; i <= OM_HINTS_MAX; i++) {
        via = via_of(i);
        om_keyring_hit(&r.k, r.net[1].current, &via);
        OM_TRY(om_lru_count(&r.k.hints) == (i < OM_HINTS_MAX ? i + 1 : OM_HINTS_MAX));
    }
    for (uint32_t i = 0; i <= OM_HINTS_MAX; i += OM_HINTS_MAX) {
        via = via_of(i);
        om_trial_begin(&t, &r.k, &via, false);
        CHECK(t.hint == (i == 0 ? NULL : r.net[1].current));
    }
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_refuses_when_full)
{
    static struct ring r;

    OM_TRY(ring_init(&r, OM_KEYRING_MAX, 1));
    CHECK_ERR(add(&r, 0, OM_KEYRING_MAX, 0), OM_E_FULL);
    CHECK(r.net[OM_KEYRING_MAX].current == NULL);
    struct om_epoch *current = r.net[0].current;
    CHECK_ERR(add(&r, 0, 0, 1), OM_E_FULL); /* refused whole: the network stays as it was */
    CHECK(r.net[0].current == current && r.net[0].previous == NULL);
    CHECK(current->accept_until == OM_NEVER);
    CHECK_EQ(r.k.count, OM_KEYRING_MAX);
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_keys_are_those_of_the_epoch)
{
    static const uint8_t secret[32] = {0, 5};
    struct om_epoch want;
    static struct ring r;

    OM_TRY(ring_init(&r, 1, 0));
    OM_TRY(add(&r, 0, 0, 5) == OM_OK);
    om_epoch_derive(&want, 5, secret);
    CHECK_MEM(r.net[0].current->mask, want.mask, sizeof want.mask);
    CHECK_MEM(r.net[0].current->id, want.id, sizeof want.id);
    CHECK(r.net[0].current->network == &r.net[0]);
    CHECK(r.net[0].current->serial != r.net[0].previous->serial);
out:
    om_keyring_fini(&r.k);
    om_keyring_fini(&r.k); /* empty already: fine */
}

/* Epochs @from to @to - 1 of a closed network, an hour apart from @at on. */
static bool rotate(struct ring *r, om_time at, uint32_t from, uint32_t to)
{
    bool is_good = true;

    r->net[0].authority.b[0] = 1;
    for (uint32_t number = from; number < to; number++)
        is_good &= add(r, at + OM_SEC(3600) * (number - from), 0, number) == OM_OK;
    return is_good;
}

OM_TEST(keyring_retains_eight_for_thirty_days)
{
    const om_time hour = OM_SEC(3600), days = OM_SEC(OM_EPOCH_BEHIND_S);
    static struct ring r;
    struct om_network *net = &r.net[0];

    OM_TRY(ring_init(&r, 1, 0));
    OM_TRY(rotate(&r, hour, 1, 4)); /* 3 is current since the third hour, 2 previous, 1 and 0 */
    CHECK_EQ(net->retained_count, 2);
    CHECK(!om_epoch_is_behind(net->current, OM_NEVER - 1));
    CHECK(!om_epoch_is_behind(net->previous, 3 * hour));
    CHECK(om_epoch_is_behind(net->previous, 3 * hour + OM_SEC(OM_EPOCH_PREVIOUS_S)));
    CHECK(om_epoch_accepts(net->previous, 3 * hour + OM_SEC(OM_EPOCH_PREVIOUS_S)));
    CHECK(om_epoch_is_behind(net->retained[0], 3 * hour));
    CHECK_EQ(net->retained[0]->number, 1);
    CHECK(om_epoch_accepts(net->retained[0], 2 * hour + days - 1));
    CHECK(!om_epoch_accepts(net->retained[0], 2 * hour + days));
    struct om_epoch *oldest = net->retained[1];
    CHECK_EQ(oldest->number, 0);
    om_keyring_expire(&r.k, hour + days - 1, net);
    CHECK_EQ(net->retained_count, 2);
    om_keyring_expire(&r.k, hour + days, net);
    CHECK_EQ(net->retained_count, 1);

    OM_TRY(rotate(&r, 4 * hour, 4, 20));
    CHECK_EQ(net->retained_count, OM_RETAINED_EPOCHS_MAX);
    CHECK_EQ(net->retained[0]->number, 17);
    CHECK_EQ(net->retained[OM_RETAINED_EPOCHS_MAX - 1]->number, 10);
    CHECK_EQ(net->join_count, OM_JOIN_EPOCHS_MAX);
    CHECK_EQ(r.k.count, 2 + OM_RETAINED_EPOCHS_MAX + OM_JOIN_EPOCHS_MAX);
    om_keyring_expire(&r.k, 19 * hour + OM_SEC(OM_EPOCH_PREVIOUS_S) - 1, net);
    CHECK_EQ(net->retained_count, OM_RETAINED_EPOCHS_MAX);
    om_keyring_expire(&r.k, 19 * hour + OM_SEC(OM_EPOCH_PREVIOUS_S), net);
    CHECK_EQ(net->retained_count, OM_RETAINED_EPOCHS_MAX - 1); /* the previous one is the eighth */
    OM_TRY(add(&r, 20 * hour, 0, 15) == OM_OK);                /* comes back: it is there once */
    CHECK_EQ(net->current->number, 15);
    for (unsigned i = 0; i < net->retained_count; i++)
        CHECK(net->retained[i]->number != 15);
out:
    om_keyring_fini(&r.k);
}

/* A link is good for as long: whoever follows it has the keys to join the epoch it was made in. */
OM_TEST(keyring_joins_by_a_link_for_eight_changes_or_thirty_days)
{
    const om_time hour = OM_SEC(3600), days = OM_SEC(OM_EPOCH_JOIN_S);
    static struct ring r;
    struct om_network *net = &r.net[0];

    OM_TRY(ring_init(&r, 1, 0));
    OM_TRY(rotate(&r, 0, 1, 2));
    struct om_epoch *link = net->joins[0];
    CHECK_EQ(link->number, 1);
    OM_TRY(rotate(&r, hour, 2, 10)); /* eight changes */
    CHECK(net->joins[net->join_count - 1] == link);
    CHECK(om_epoch_accepts(link, 9 * hour));
    CHECK(om_epoch_accepts(link, hour + days - 1));
    CHECK(!om_epoch_accepts(link, hour + days));
    OM_TRY(rotate(&r, 9 * hour, 10, 11)); /* nine */
    CHECK_EQ(net->join_count, 9);
    CHECK_EQ(net->joins[net->join_count - 1]->number, 2);
out:
    om_keyring_fini(&r.k);
}

OM_TEST(keyring_past_comes_back)
{
    const om_time day = OM_SEC(24 * 3600), now = OM_SEC(5);
    const uint8_t secret[32] = {0, 1};
    static struct ring r;
    struct om_network *net = &r.net[0];

    OM_TRY(ring_init(&r, 1, 0));
    net->authority.b[0] = 1;
    OM_TRY(om_keyring_past(&r.k, now, net, 9, secret, OM_SEC(60)) == OM_OK);
    OM_TRY(om_keyring_past(&r.k, now, net, 8, secret, 29 * day) == OM_OK);
    OM_TRY(om_keyring_past(&r.k, now, net, 7, secret, 31 * day) == OM_OK);
    CHECK_EQ(net->previous->number, 9);
    CHECK(!om_epoch_is_behind(net->previous, now + OM_SEC(539)));
    CHECK(om_epoch_is_behind(net->previous, now + OM_SEC(540)));
    CHECK_EQ(net->retained_count, 1);
    CHECK_EQ(net->retained[0]->number, 8);
    CHECK(om_epoch_is_behind(net->retained[0], now));
    CHECK(om_epoch_accepts(net->retained[0], now + day - 1));
    CHECK(!om_epoch_accepts(net->retained[0], now + day));
    CHECK_EQ(net->join_count, 2);
    CHECK(om_epoch_accepts(net->joins[1], now + day - 1));
    CHECK(!om_epoch_accepts(net->joins[1], now + day));
    OM_TRY(rotate(&r, now, 10, 11));
    CHECK_EQ(net->retained_count, 2);
    CHECK_EQ(net->retained[0]->number, 9);
out:
    om_keyring_fini(&r.k);
}
