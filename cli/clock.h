/*
 * clock.h - the monotonic clock of this process
 *
 * What:  one reading; and a wait that nothing but time ends.
 * Why:   deadlines must not move when somebody sets the date.
 */
#ifndef OM_CLI_CLOCK_H
#define OM_CLI_CLOCK_H

#include <omerta/time.h>

/** om_clock_now() - microseconds since some moment in the past; never goes back. */
om_time om_clock_now(void);

/** om_clock_wait() - let @time pass. */
void om_clock_wait(om_time time);

/** om_clock_poll_ms() - how long poll(2) may wait until @deadline, rounded up; -1: OM_NEVER. */
int om_clock_poll_ms(om_time deadline);

#endif
