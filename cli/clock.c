/* clock.c - CLOCK_MONOTONIC. */
#include "clock.h"

#include <limits.h>
#include <poll.h>
#include <time.h>

om_time om_clock_now(void)
{
    struct timespec t = {0};

    clock_gettime(CLOCK_MONOTONIC, &t);
    return OM_SEC(t.tv_sec) + t.tv_nsec / 1000;
}

void om_clock_wait(om_time time)
{
    poll(NULL, 0, (int)(time / 1000));
}

int om_clock_poll_ms(om_time deadline)
{
    om_time left;

    if (deadline == OM_NEVER)
        return -1;
    left = deadline - om_clock_now();
    if (left <= 0)
        return 0;
    return left / 1000 >= INT_MAX - 1 ? INT_MAX : (int)((left + 999) / 1000);
}
