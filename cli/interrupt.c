/* interrupt.c - one flag, set by the handler. */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static volatile sig_atomic_t came;

static void note(int number)
{
    (void)number;
    came = 1;
}

void om_interrupt_catch(void)
{
    struct sigaction act;

    memset(&act, 0, sizeof act);
    act.sa_handler = note; /* without SA_RESTART: a wait ends */
    act.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

bool om_interrupt_take(void)
{
    bool was = came != 0;

    came = 0;
    return was;
}

bool om_interrupt_came(void)
{
    return came != 0;
}
