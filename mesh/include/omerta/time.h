/*
 * time.h - the two clocks, kept apart by type
 *
 * What:  om_time is the node's monotonic clock in microseconds; struct om_wall is calendar time.
 * Why:   timers must not move when somebody sets the date, and a date must never be compared
 *        with a timer; as different types they cannot be mixed by accident.
 */
#ifndef OMERTA_TIME_H
#define OMERTA_TIME_H

#include <stdint.h>

typedef int64_t om_time; /* microseconds, the node's monotonic clock */

#define OM_NEVER  INT64_MAX
#define OM_US(n)  ((om_time)(n))
#define OM_MS(n)  ((om_time)(n)*1000)
#define OM_SEC(n) ((om_time)(n)*1000000)

struct om_wall {
    int64_t unix_ms; /* milliseconds since 1970-01-01 UTC */
};

static inline om_time om_time_min(om_time a, om_time b)
{
    return a < b ? a : b;
}

#endif
