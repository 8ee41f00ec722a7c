/* mtu.c - first what is usual, then what the interface allows, then halving. */
#include "path/mtu.h"

static uint16_t lowest(const struct om_mtu *m)
{
    return (uint16_t)(OM_MTU_FLOOR - m->lane);
}

static uint16_t payload(const struct om_mtu *m, unsigned link)
{
    if (link == 0 || link > OM_MTU_LINK_MAX)
        link = OM_MTU_LINK_MAX;
    return (uint16_t)(link < (unsigned)lowest(m) + m->head ? lowest(m) : link - m->head);
}

static uint16_t base(const struct om_mtu *m)
{
    uint16_t most = (uint16_t)(OM_MTU_BASE - m->lane);

    return m->limit < most ? m->limit : most;
}

void om_mtu_init(struct om_mtu *m, bool is_v6, unsigned link)
{
    *m = (struct om_mtu){.head = is_v6 ? OM_MTU_HEAD_V6 : OM_MTU_HEAD_V4};
    m->limit = payload(m, link);
    m->size = base(m);
    m->low = OM_MTU_FLOOR;
    m->high = (uint16_t)(m->limit + 1);
    m->due = OM_NEVER;
}

void om_mtu_carry(struct om_mtu *m, unsigned bytes)
{
    m->head = (uint16_t)(m->head + bytes);
    m->lane = (uint16_t)(m->lane + bytes);
    m->limit = m->limit > lowest(m) + bytes ? (uint16_t)(m->limit - bytes) : lowest(m);
    m->size = base(m);
    m->low = lowest(m);
    m->high = (uint16_t)(m->limit + 1);
}

static void search(struct om_mtu *m, enum om_mtu_state state, uint16_t hint)
{
    m->state = state;
    m->high = (uint16_t)(m->limit + 1);
    m->hint = hint;
    m->probe = 0;
    m->tries = m->losses = 0;
    m->is_raising = false;
    m->due = OM_NEVER;
}

/* Everything up to @low is believed to pass; the rest is open again. */
static void restart(struct om_mtu *m, om_time now, uint16_t hint)
{
    m->size = base(m);
    m->low = lowest(m);
    m->proven = now;
    search(m, OM_MTU_AT_BASE, hint);
}

void om_mtu_start(struct om_mtu *m, om_time now)
{
    restart(m, now, m->size > base(m) ? m->size : payload(m, OM_MTU_LINK_USUAL));
}

unsigned om_mtu_size(const struct om_mtu *m)
{
    return m->size;
}

unsigned om_mtu_base(const struct om_mtu *m)
{
    return base(m);
}

unsigned om_mtu_floor(const struct om_mtu *m)
{
    return lowest(m);
}

/* The base fails: what passes lies below it, unless that was bad luck. */
static void go_to_floor(struct om_mtu *m, om_time now)
{
    m->size = m->low = lowest(m);
    m->proven = now;
    search(m, OM_MTU_SEARCH, base(m));
}

/* The size to try next; 0 when nothing is left. */
static uint16_t choose(const struct om_mtu *m)
{
    if (m->state == OM_MTU_AT_BASE)
        return base(m);
    if (m->hint > m->low && m->hint < m->high)
        return m->hint;
    if (m->low >= m->limit)
        return 0;
    if (m->high > m->limit)
        return m->limit;
    if (m->high - m->low <= OM_MTU_GRAIN)
        return 0;
    return (uint16_t)(m->low + (m->high - m->low) / 2);
}

static void finish(struct om_mtu *m, om_time now)
{
    m->state = OM_MTU_DONE;
    m->probe = 0;
    m->tries = 0;
    m->is_raising = false;
    m->due = OM_NEVER;
    m->raise_at = m->low < m->limit ? now + OM_SEC(OM_MTU_RAISE_S) : OM_NEVER;
}

static void settle(struct om_mtu *m, om_time now)
{
    m->probe = 0;
    m->tries = 0;
    m->due = OM_NEVER;
    if (m->state == OM_MTU_SEARCH && choose(m) == 0)
        finish(m, now);
}

/* @size does not pass, for all we know. */
static void fail(struct om_mtu *m, om_time now, uint16_t size)
{
    if (m->state == OM_MTU_AT_BASE) {
        if (size > lowest(m))
            go_to_floor(m, now);
        else
            finish(m, now); /* there is nothing below */
        return;
    }
    if (size < m->high)
        m->high = size;
    if (m->is_raising)
        finish(m, now);
    else
        settle(m, now);
}

static void probe_lost(struct om_mtu *m, om_time now)
{
    uint16_t size = m->probe;

    m->probe = 0;
    m->due = OM_NEVER;
    if (++m->tries >= OM_MTU_PROBES)
        fail(m, now, size);
}

bool om_mtu_next(struct om_mtu *m, om_time now, om_time pto, unsigned *size)
{
    om_time wait = pto > OM_MS(OM_MTU_PROBE_WAIT_MS) ? pto : OM_MS(OM_MTU_PROBE_WAIT_MS);

    if (m->state == OM_MTU_DONE && now >= m->raise_at && m->low < m->limit) {
        unsigned more = m->low + 2U * OM_MTU_GRAIN;
        search(m, OM_MTU_SEARCH, (uint16_t)(more < m->limit ? more : m->limit));
        m->is_raising = true;
    }
    if ((m->state != OM_MTU_AT_BASE && m->state != OM_MTU_SEARCH) || m->probe)
        return false;
    m->probe = choose(m);
    if (m->probe == 0) {
        settle(m, now);
        return false;
    }
    m->due = now + wait;
    *size = m->probe;
    return true;
}

void om_mtu_tick(struct om_mtu *m, om_time now)
{
    if (m->probe && now >= m->due)
        probe_lost(m, now);
}

om_time om_mtu_deadline(const struct om_mtu *m)
{
    if (m->probe)
        return m->due;
    return m->state == OM_MTU_AT_BASE || m->state == OM_MTU_SEARCH ? 0 : OM_NEVER;
}

/* Packets above it tell of a black hole when they are lost. */
static unsigned fallback(const struct om_mtu *m)
{
    return m->size > base(m) ? base(m) : lowest(m);
}

void om_mtu_acked(struct om_mtu *m, om_time now, unsigned size, om_time sent)
{
    if (m->state == OM_MTU_IDLE || size > m->limit)
        return;
    if (size > fallback(m)) {
        m->losses = 0;
        m->proven = sent > m->proven ? sent : m->proven;
    }
    bool is_base = m->state == OM_MTU_AT_BASE && size >= base(m);
    if (size <= m->low && !is_base)
        return;
    if (size > m->low)
        m->low = (uint16_t)size;
    if (m->low > m->size)
        m->size = m->low;
    if (m->high <= m->low)
        m->high = (uint16_t)(m->limit + 1); /* it failed before, and passes now */
    if (is_base)
        m->state = OM_MTU_SEARCH;
    if (m->hint <= m->low)
        m->hint = 0;
    m->is_raising = false;
    if (m->state == OM_MTU_SEARCH && (is_base || m->probe <= m->low))
        settle(m, now);
}

/* Of the base's size some may have been lost already, which will be told next: they count. */
static void black_hole(struct om_mtu *m, om_time now)
{
    om_time proven = m->proven;

    if (m->size > base(m)) {
        restart(m, now, m->size);
        m->proven = proven;
    } else if (m->size > lowest(m)) {
        go_to_floor(m, now);
    }
}

void om_mtu_lost(struct om_mtu *m, om_time now, unsigned size, om_time sent)
{
    if (m->state == OM_MTU_IDLE)
        return;
    if (m->probe && size == m->probe) {
        probe_lost(m, now);
        return;
    }
    if (size > m->size || size <= fallback(m) || sent < m->proven)
        return;
    if (++m->losses >= OM_MTU_LOSSES)
        black_hole(m, now);
}

void om_mtu_refused(struct om_mtu *m, om_time now, unsigned size)
{
    if (m->state == OM_MTU_IDLE || size <= lowest(m) || size > m->limit)
        return;
    if (m->state == OM_MTU_AT_BASE && size > m->size)
        return; /* of a size that was given up: what is left of the same burst */
    if (size <= m->size) {
        black_hole(m, now);
        return;
    }
    m->probe = 0;
    fail(m, now, (uint16_t)size);
}
