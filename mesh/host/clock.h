/*
 * clock.h - the machine's two clocks, as the core wants them
 *
 * What:  monotonic time that goes on while the machine sleeps, and calendar time.
 * Why:   after a suspend every timer of a node must see how long it really was; CLOCK_MONOTONIC
 *        stands still meanwhile.
 */
#ifndef OM_HOST_CLOCK_H
#define OM_HOST_CLOCK_H

#include <omerta/time.h>

/** om_clock_now() - CLOCK_BOOTTIME in microseconds: the driver's clock of a node. */
om_time om_clock_now(void);

/** om_clock_wall() - the calendar, as this machine believes it. */
struct om_wall om_clock_wall(void);

#endif
