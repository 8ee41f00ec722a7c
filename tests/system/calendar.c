/*
 * calendar.c - a calendar that is OMERTA_TEST_AHEAD_S seconds ahead, for a daemon under test
 *
 * What:  loaded before the C library, it answers for the clock of the calendar; all others are as
 *        they are.
 * Why:   what happens after weeks is to be seen in a minute. libfaketime moves timers of
 *        CLOCK_BOOTTIME, too, by which the daemon lives: they would not end for weeks.
 * Keeps: test_renewal_of_a_member_in_good_standing.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *t)
{
    const char *ahead = getenv("OMERTA_TEST_AHEAD_S");
    int e = (int)syscall(SYS_clock_gettime, clock, t);

    if (e == 0 && clock == CLOCK_REALTIME && ahead)
        t->tv_sec += strtol(ahead, NULL, 10);
    return e;
}
