/* nat_fit.c - the simplest class that explains the samples, with as few left out as can be. */
#include "path/nat_fit.h"

#include <omerta/attr.h>

#include <string.h>

enum { PORTS = 65536, WITNESS_PAIRS_FROM = 8 };

/* Samples under study; those of witnesses in the mask are left out. */
struct study {
    const struct om_nat_sample *s;
    unsigned n;
    unsigned witnesses;
    uint8_t witness[OM_NAT_SAMPLES_MAX];
    uint32_t elsewhere; /* bit per sample: seen at another outside address */
};

static_assert(OM_NAT_SAMPLES_MAX <= 32, "one bit for each sample and witness");

static bool same_source(const struct om_addr *a, const struct om_addr *b)
{
    uint8_t x[16], y[16];

    om_addr_source(a, x);
    om_addr_source(b, y);
    return memcmp(x, y, sizeof x) == 0;
}

static bool same_ip(const struct om_addr *a, const struct om_addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool om_nat_is_one_party(const struct om_nat_sample *a, const struct om_nat_sample *b)
{
    return om_id_equal(&a->peer, &b->peer) || same_source(&a->to, &b->to);
}

/* Samples that share a key or an address get one number; numbers are dense. */
static void name_witnesses(struct study *st)
{
    unsigned names = 0;

    for (unsigned i = 0; i < st->n; i++) {
        st->witness[i] = (uint8_t)i;
        for (unsigned j = 0; j < i; j++) {
            if (!om_nat_is_one_party(&st->s[i], &st->s[j]))
                continue;
            uint8_t keep = st->witness[j] < st->witness[i] ? st->witness[j] : st->witness[i];
            uint8_t lose = st->witness[j] < st->witness[i] ? st->witness[i] : st->witness[j];
            for (unsigned k = 0; k <= i; k++)
                if (st->witness[k] == lose)
                    st->witness[k] = keep;
        }
    }
    for (unsigned i = 0; i < st->n; i++) {
        if (st->witness[i] < names)
            continue;
        uint8_t old = st->witness[i];
        for (unsigned k = i; k < st->n; k++)
            if (st->witness[k] == old)
                st->witness[k] = (uint8_t)names;
        names++;
    }
    st->witnesses = names;
}

static unsigned bits(uint32_t mask)
{
    unsigned n = 0;

    for (; mask; mask &= mask - 1)
        n++;
    return n;
}

/* Who saw us at the outside address of sample @i? */
static uint32_t seen_at(const struct study *st, unsigned i)
{
    uint32_t who = 0;

    for (unsigned j = 0; j < st->n; j++)
        if (same_ip(&st->s[i].seen, &st->s[j].seen))
            who |= UINT32_C(1) << st->witness[j];
    return who;
}

/* The outside address with the most witnesses; at a tie the newer one. */
static void choose_outside(struct study *st, struct om_nat_fit *out)
{
    unsigned best = 0, most = 0;

    for (unsigned i = 0; i < st->n; i++) {
        unsigned w = bits(seen_at(st, i));
        if (w >= most) {
            most = w;
            best = i;
        }
    }
    memcpy(out->outside, st->s[best].seen.ip, sizeof out->outside);
    for (unsigned i = 0; i < st->n; i++) {
        if (same_ip(&st->s[i].seen, &st->s[best].seen))
            continue;
        st->elsewhere |= UINT32_C(1) << i;
        if (bits(seen_at(st, i)) >= 2)
            out->is_pooled = true;
    }
}

static bool is_used(const struct study *st, unsigned i, uint32_t without)
{
    return !(st->elsewhere >> i & 1) && !(without >> st->witness[i] & 1);
}

static uint32_t who_remains(const struct study *st, uint32_t without)
{
    uint32_t who = 0;

    for (unsigned i = 0; i < st->n; i++)
        if (is_used(st, i, without))
            who |= UINT32_C(1) << st->witness[i];
    return who;
}

/* Enough remain to outweigh those left out, whether for their address or for their port. */
static bool is_carried(const struct study *st, uint32_t without)
{
    unsigned agree = bits(who_remains(st, without));

    return agree >= 2 && agree >= OM_NAT_TRUST_RATIO * (st->witnesses - agree);
}

/* ---- one port per socket */

/* The port that most witnesses saw for the socket of sample @i. */
static uint16_t usual_port(const struct study *st, unsigned i)
{
    unsigned most = 0;
    uint16_t port = 0;

    for (unsigned j = 0; j < st->n; j++) {
        uint32_t who = 0;
        if (!is_used(st, j, 0) || !om_addr_equal(&st->s[i].local, &st->s[j].local))
            continue;
        for (unsigned k = 0; k < st->n; k++)
            if (is_used(st, k, 0) && om_addr_equal(&st->s[i].local, &st->s[k].local) &&
                st->s[k].seen.port == st->s[j].seen.port)
                who |= UINT32_C(1) << st->witness[k];
        if (bits(who) >= most) {
            most = bits(who);
            port = st->s[j].seen.port;
        }
    }
    return port;
}

static bool is_shared_socket(const struct study *st, unsigned i, uint32_t without)
{
    for (unsigned j = 0; j < st->n; j++)
        if (j != i && is_used(st, j, without) && om_addr_equal(&st->s[i].local, &st->s[j].local) &&
            !om_addr_equal(&st->s[i].to, &st->s[j].to))
            return true;
    return false;
}

/* True when every socket has one port, but for the witnesses put into @without. */
static bool fit_eim(const struct study *st, uint32_t *without)
{
    uint32_t agree = 0;

    *without = 0;
    for (unsigned i = 0; i < st->n; i++)
        if (is_used(st, i, 0) && st->s[i].seen.port != usual_port(st, i))
            *without |= UINT32_C(1) << st->witness[i];
    for (unsigned i = 0; i < st->n; i++)
        if (is_used(st, i, *without) && is_shared_socket(st, i, *without))
            agree |= UINT32_C(1) << st->witness[i];
    if (bits(agree) < 2 && *without)
        return false; /* against another's word it takes two */
    return agree && bits(agree) >= 2 * bits(*without);
}

/* ---- ports that differ by destination */

struct flows {
    uint16_t port[OM_NAT_SAMPLES_MAX]; /* one for each mapping, oldest first */
    unsigned n;
};

/* Do the ports of one destination share a mapping? More pairs must say so than deny it. */
static bool is_per_address(const struct study *st, uint32_t without)
{
    unsigned same = 0, other = 0;

    for (unsigned i = 0; i < st->n; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (!is_used(st, i, without) || !is_used(st, j, without) ||
                !om_addr_equal(&st->s[i].local, &st->s[j].local) ||
                !same_ip(&st->s[i].to, &st->s[j].to) || st->s[i].to.port == st->s[j].to.port)
                continue;
            if (st->s[i].seen.port == st->s[j].seen.port)
                same++;
            else
                other++;
        }
    }
    return same > other;
}

static bool is_new_flow(const struct study *st, unsigned i, uint32_t without, bool per_address)
{
    for (unsigned j = 0; j < i; j++) {
        const struct om_nat_sample *a = &st->s[i], *b = &st->s[j];
        if (!is_used(st, j, without) || !om_addr_equal(&a->local, &b->local) ||
            !same_ip(&a->to, &b->to))
            continue;
        if (a->to.port == b->to.port || (per_address && a->seen.port == b->seen.port))
            return false;
    }
    return true;
}

static void list_flows(struct flows *f, const struct study *st, uint32_t without)
{
    bool per_address = is_per_address(st, without);

    f->n = 0;
    for (unsigned i = 0; i < st->n; i++)
        if (is_used(st, i, without) && is_new_flow(st, i, without, per_address))
            f->port[f->n++] = st->s[i].seen.port;
}

static int gcd(int a, int b)
{
    while (b) {
        int t = a % b;
        a = b;
        b = t;
    }
    return a < 0 ? -a : a;
}

/*
 * Ports that all rise or all fall, by small multiples of one step, but for @wraps times that the
 * counter came to the end of its range and began again.
 */
static bool fit_counter(const struct flows *f, unsigned wraps, struct om_nat_fit *out)
{
    unsigned back = 0;
    int rise = 0, fall = 0, step = 0, most = 0;

    if (f->n < OM_NAT_HARD_LEAST)
        return false;
    for (unsigned i = 1; i < f->n; i++) {
        rise += f->port[i] > f->port[i - 1];
        fall += f->port[i] < f->port[i - 1];
    }
    if (rise == fall)
        return false;
    int sign = rise > fall ? 1 : -1;
    for (unsigned i = 1; i < f->n; i++) {
        int d = sign * (f->port[i] - f->port[i - 1]);
        if (d <= 0) {
            back++;
            continue;
        }
        step = gcd(step, d);
        most = d > most ? d : most;
    }
    if (back > wraps || step == 0 || step > OM_NAT_STRIDE_MAX || most > step * OM_NAT_SKIP_MAX)
        return false;
    out->stride = sign * step;
    out->skip = (uint8_t)(most / step);
    out->last = f->port[f->n - 1];
    return true;
}

static void sort_ports(uint16_t *p, unsigned n)
{
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = i; j > 0 && p[j - 1] > p[j]; j--) {
            uint16_t t = p[j];
            p[j] = p[j - 1];
            p[j - 1] = t;
        }
}

/* Kolmogorov and Smirnov: how far is the sorted sample from an even spread over first..last? */
static bool is_even(const uint16_t *p, unsigned n, int first, int last)
{
    int64_t size = last - first + 1, worst = 0;

    for (unsigned i = 0; i < n; i++) {
        int64_t at = p[i] - first;
        int64_t over = (int64_t)(i + 1) * size - at * n; /* both times n x size */
        int64_t under = at * n - (int64_t)i * size;
        worst = over > worst ? over : worst;
        worst = under > worst ? under : worst;
    }
    /* worst / (n size) x sqrt(n) < 1.36, the 5 % bound, squared */
    return worst * worst * 10000 < 18496 * (int64_t)n * size * size;
}

/*
 * A range wide as that of the samples plus, at either end, the mean gap between two of them: the
 * least-variance unbiased estimate for the ends of an even spread.
 */
static void fit_range(const struct flows *f, struct om_nat_fit *out)
{
    uint16_t p[OM_NAT_SAMPLES_MAX];

    memcpy(p, f->port, sizeof p);
    sort_ports(p, f->n);
    int gap = (p[f->n - 1] - p[0]) / (int)(f->n > 1 ? f->n - 1 : 1);
    int first = p[0] - gap, last = p[f->n - 1] + gap;
    if (first < 1)
        first = 1;
    if (last >= PORTS)
        last = PORTS - 1;
    out->first_port = (uint16_t)first;
    out->last_port = (uint16_t)last;
    out->is_uniform = is_even(p, f->n, first, last);
}

/* One gap takes up most of the range: those beyond it may be there by a lie. */
static bool is_torn(const struct flows *f)
{
    uint16_t p[OM_NAT_SAMPLES_MAX];
    int widest = 0;

    memcpy(p, f->port, sizeof p);
    sort_ports(p, f->n);
    for (unsigned i = 1; i < f->n; i++)
        widest = p[i] - p[i - 1] > widest ? p[i] - p[i - 1] : widest;
    return f->n > 1 && widest * 3 > (p[f->n - 1] - p[0]) * 2;
}

static bool fit_any_block(const struct study *st OM_UNUSED, uint32_t without OM_UNUSED,
                          const struct flows *f, struct om_nat_fit *out)
{
    out->class = OM_NAT_BLOCK;
    if (f->n < OM_NAT_HARD_LEAST)
        return false;
    fit_range(f, out);
    return out->last_port - out->first_port < OM_NAT_BLOCK_MAX;
}

static bool fit_block(const struct study *st, uint32_t without, const struct flows *f,
                      struct om_nat_fit *out)
{
    return !is_torn(f) && fit_any_block(st, without, f, out);
}

static void judge_reuse(const struct flows *f, struct om_nat_fit *out)
{
    unsigned twice = 0, pairs = f->n * (f->n - 1) / 2;
    unsigned size = (unsigned)(out->last_port - out->first_port) + 1;

    for (unsigned i = 0; i < f->n; i++)
        for (unsigned j = 0; j < i; j++)
            twice += f->port[i] == f->port[j];
    if (twice)
        out->reuse = OM_NAT_REUSED;
    else if (pairs >= OM_NAT_REUSE_EXPECTED * size)
        out->reuse = OM_NAT_EXCLUSIVE;
}

/* One way to explain all the flows, of which @without were left out. */
typedef bool fit_fn(const struct study *st, uint32_t without, const struct flows *f,
                    struct om_nat_fit *out);

static bool fit_stride(const struct study *st OM_UNUSED, uint32_t without OM_UNUSED,
                       const struct flows *f, struct om_nat_fit *out)
{
    out->class = OM_NAT_STRIDE;
    return fit_counter(f, 0, out);
}

static bool fit_stride_anew(const struct study *st OM_UNUSED, uint32_t without,
                            const struct flows *f, struct om_nat_fit *out)
{
    out->class = OM_NAT_STRIDE;
    return !without && f->n > OM_NAT_HARD_LEAST && fit_counter(f, 1, out);
}

static bool fit_without(fit_fn *fit, const struct study *st, uint32_t without,
                        struct om_nat_fit *out)
{
    struct om_nat_fit f = *out;
    struct flows flows;

    list_flows(&flows, st, without);
    if (!fit(st, without, &flows, &f))
        return false;
    fit_range(&flows, &f);
    f.is_uniform &= f.class == OM_NAT_BLOCK;
    judge_reuse(&flows, &f);
    f.is_per_address = is_per_address(st, without);
    *out = f;
    return true;
}

/* First with everybody, then without one, then without two. */
static bool fit_most(fit_fn *fit, const struct study *st, struct om_nat_fit *out, uint32_t *without)
{
    *without = 0;
    if (fit_without(fit, st, 0, out))
        return true;
    for (unsigned a = 0; a < st->witnesses; a++) {
        *without = UINT32_C(1) << a;
        if (is_carried(st, *without) && fit_without(fit, st, *without, out))
            return true;
    }
    for (unsigned a = 0; a < st->witnesses && st->witnesses >= WITNESS_PAIRS_FROM; a++)
        for (unsigned b = 0; b < a; b++) {
            *without = UINT32_C(1) << a | UINT32_C(1) << b;
            if (is_carried(st, *without) && fit_without(fit, st, *without, out))
                return true;
        }
    *without = 0;
    return false;
}

static void fit_hard(const struct study *st, struct om_nat_fit *out, uint32_t *without)
{
    struct flows flows;

    if (fit_most(fit_stride, st, out, without) || fit_most(fit_stride_anew, st, out, without) ||
        fit_most(fit_block, st, out, without) || fit_without(fit_any_block, st, 0, out))
        return;
    list_flows(&flows, st, 0);
    if (flows.n < OM_NAT_HARD_LEAST)
        return;
    fit_range(&flows, out);
    out->class = OM_NAT_RANDOM;
    out->is_per_address = is_per_address(st, 0);
    judge_reuse(&flows, out);
}

/* ---- the verdict */

static void judge_sockets(const struct study *st, uint32_t without, struct om_nat_fit *out)
{
    bool open = true, known = false;

    out->is_preserved = true;
    for (unsigned i = 0; i < st->n; i++) {
        if (!is_used(st, i, without) || om_nat_is_nameless(&st->s[i].local))
            continue;
        known = true;
        out->is_preserved &= st->s[i].seen.port == st->s[i].local.port;
        open &= om_addr_equal(&st->s[i].seen, &st->s[i].local);
    }
    out->is_preserved &= known;
    if (out->class == OM_NAT_EIM && known && open)
        out->class = OM_NAT_OPEN;
}

static void judge_trust(const struct study *st, uint32_t without, struct om_nat_fit *out)
{
    unsigned used = 0, agree = bits(who_remains(st, without)), odd;

    for (unsigned i = 0; i < st->n; i++)
        used += is_used(st, i, without);
    out->samples = (uint8_t)used;
    out->witnesses = (uint8_t)agree;
    out->outliers = (uint8_t)(st->n - used);
    if (out->class == OM_NAT_UNKNOWN)
        return;
    out->is_believed = is_carried(st, without);
    if (out->class == OM_NAT_OPEN || out->class == OM_NAT_EIM)
        odd = 100U >> (agree < 7 ? agree : 7);
    else
        odd = 200 / (used > 2 ? used : 2);
    odd += 10 * (st->witnesses - agree);
    if (!out->is_believed && odd < 60)
        odd = 60;
    out->confidence = (uint8_t)(odd < 100 ? 100 - odd : 0);
}

void om_nat_fit(struct om_nat_fit *out, const struct om_nat_sample *s, unsigned n)
{
    struct study st = {.s = s, .n = n < OM_NAT_SAMPLES_MAX ? n : OM_NAT_SAMPLES_MAX};
    uint32_t without = 0;

    *out = (struct om_nat_fit){0};
    if (st.n == 0)
        return;
    name_witnesses(&st);
    choose_outside(&st, out);
    if (fit_eim(&st, &without))
        out->class = OM_NAT_EIM;
    else if (without) /* one socket had several ports, by somebody's word */
        fit_hard(&st, out, &without);
    judge_sockets(&st, without, out);
    judge_trust(&st, without, out);
}

bool om_nat_is_nameless(const struct om_addr *local)
{
    return om_addr_classify(local) == OM_ADDR_UNSPECIFIED;
}

const char *om_nat_class_name(enum om_nat_class c)
{
    static const char *const names[] = {"unknown", "open",   "eim", "stride",
                                        "block",   "random", "dead"};

    static_assert(sizeof names / sizeof names[0] == OM_NAT_CLASS_COUNT, "one name for each class");
    return (unsigned)c < OM_NAT_CLASS_COUNT ? names[c] : names[OM_NAT_UNKNOWN];
}
