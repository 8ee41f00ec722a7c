/* clock.c - reading the clocks of the kernel. */
#include "clock.h"

#include <time.h>

om_time om_clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t); /* cannot fail with this clock and a valid pointer */
    return (om_time)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct om_wall om_clock_wall(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (struct om_wall){.unix_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000};
}
