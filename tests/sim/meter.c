/* meter.c - counters, and a histogram whose steps grow with the value. */
#include "meter.h"

#include <string.h>

#include <omerta/attr.h>

enum { SECOND = 1000000, PPM = 1000000, SLOT_BITS = 5, STEPS = 1 << SLOT_BITS, WAIT_BITS = 36 };

static const char *const names[] = {
    [SIM_READ_PACKETS_IN] = "packets_in",
    [SIM_READ_BYTES_IN] = "bytes_in",
    [SIM_READ_PACKETS_OUT] = "packets_out",
    [SIM_READ_BYTES_OUT] = "bytes_out",
    [SIM_READ_DROPPED] = "dropped",
    [SIM_READ_BYTES_DROPPED] = "bytes_dropped",
    [SIM_READ_FULL] = "full",
    [SIM_READ_POLICED] = "policed",
    [SIM_READ_LOST] = "lost",
    [SIM_READ_TOO_LARGE] = "too_large",
    [SIM_READ_WAIT_P50] = "wait_p50",
    [SIM_READ_WAIT_P95] = "wait_p95",
    [SIM_READ_WAIT_MAX] = "wait_max",
    [SIM_READ_USED] = "used",
    [SIM_READ_RATE] = "rate",
};
static_assert(OM_ARRAY_SIZE(names) == SIM_READ_COUNT, "a name for each reading");
static_assert(SIM_METER_WAITS == (WAIT_BITS - SLOT_BITS) * STEPS + 2 * STEPS,
              "the last slot is that of 2^36 us");

void sim_meter_start(struct sim_meter *m, const struct sim_rate *r, om_time now)
{
    *m = (struct sim_meter){.since = now, .busy = sim_rate_busy(r, now)};
}

void sim_meter_in(struct sim_meter *m, size_t size)
{
    m->packets_in++;
    m->bytes_in += size;
}

void sim_meter_out(struct sim_meter *m, size_t size)
{
    m->packets_out++;
    m->bytes_out += size;
}

void sim_meter_drop(struct sim_meter *m, enum sim_lapse why, size_t size)
{
    m->dropped[why]++;
    m->bytes_dropped += size;
}

/* Values below 64 have a slot each; above, each power of two is cut into 32 steps. */
static unsigned slot_of(uint64_t t)
{
    unsigned shift = 0;

    if (t >> WAIT_BITS)
        t = UINT64_C(1) << WAIT_BITS;
    while (t >> shift >= 2 * STEPS)
        shift++;
    return shift * STEPS + (unsigned)(t >> shift);
}

/* The greatest value in slot @s. */
static om_time slot_top(unsigned s)
{
    unsigned shift = s < 2 * STEPS ? 0 : s / STEPS - 1;

    return (om_time)(((uint64_t)(s - shift * STEPS + 1) << shift) - 1);
}

void sim_meter_wait(struct sim_meter *m, om_time t)
{
    m->wait[slot_of((uint64_t)t)]++;
    m->waits++;
    if (t > m->wait_max)
        m->wait_max = t;
}

om_time sim_meter_percentile(const struct sim_meter *m, unsigned percent)
{
    uint64_t rank = (m->waits * percent + 99) / 100, below = 0;
    unsigned s = 0;

    if (m->waits == 0)
        return 0;
    while (s < SIM_METER_WAITS - 1 && (below += m->wait[s]) < rank)
        s++;
    return om_time_min(slot_top(s), m->wait_max);
}

static uint64_t dropped(const struct sim_meter *m)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < SIM_LAPSE_COUNT; i++)
        n += m->dropped[i];
    return n;
}

/* @n a second, when it was @n in @window. */
static uint64_t per_second(uint64_t n, om_time window)
{
    return window > 0 ? (uint64_t)((double)n * SECOND / (double)window) : 0;
}

uint64_t sim_meter_read(const struct sim_meter *m, const struct sim_rate *r, enum sim_reading what,
                        om_time now)
{
    switch (what) {
    case SIM_READ_PACKETS_IN:
        return m->packets_in;
    case SIM_READ_BYTES_IN:
        return m->bytes_in;
    case SIM_READ_PACKETS_OUT:
        return m->packets_out;
    case SIM_READ_BYTES_OUT:
        return m->bytes_out;
    case SIM_READ_DROPPED:
        return dropped(m);
    case SIM_READ_BYTES_DROPPED:
        return m->bytes_dropped;
    case SIM_READ_FULL:
        return m->dropped[SIM_LAPSE_FULL];
    case SIM_READ_POLICED:
        return m->dropped[SIM_LAPSE_POLICE];
    case SIM_READ_LOST:
        return m->dropped[SIM_LAPSE_LOST];
    case SIM_READ_TOO_LARGE:
        return m->dropped[SIM_LAPSE_SIZE];
    case SIM_READ_WAIT_P50:
        return (uint64_t)sim_meter_percentile(m, 50);
    case SIM_READ_WAIT_P95:
        return (uint64_t)sim_meter_percentile(m, 95);
    case SIM_READ_WAIT_MAX:
        return (uint64_t)m->wait_max;
    case SIM_READ_USED:
        return per_second((uint64_t)(sim_rate_busy(r, now) - m->busy), now - m->since);
    case SIM_READ_RATE:
        return per_second(8 * m->bytes_out, now - m->since);
    case SIM_READ_COUNT:
        break;
    }
    return 0;
}

enum sim_reading sim_reading_parse(const char *name)
{
    unsigned i = 0;

    while (i < SIM_READ_COUNT && strcmp(names[i], name) != 0)
        i++;
    return (enum sim_reading)i;
}
