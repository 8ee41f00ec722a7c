/* unit.c - a few variables of the environment. */
#include "service/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* The manager of a user tells who it is; what it starts hands that on, so it must be our parent. */
static bool is_of_user(void)
{
    const char *manager = getenv("MANAGERPID");

    return manager && strtol(manager, NULL, 10) == (long)getppid();
}

/* INVOCATION_ID alone is inherited by all that a service starts, shells too. */
const char *unit_hint(void)
{
    if (!getenv("INVOCATION_ID") || !getenv("NOTIFY_SOCKET") || getenv("OMERTA_PROVIDES"))
        return "";
    if (is_of_user())
        return "systemd keeps this daemon too close for virtual machines: put"
               " omerta-meshd-provide.conf, of share/omerta, into"
               " ~/.config/systemd/user/omerta-meshd.service.d, then `systemctl --user"
               " daemon-reload` and `systemctl --user restart omerta-meshd`";
    return "systemd keeps this daemon too close for virtual machines: put"
           " omerta-meshd-provide.conf, of share/omerta, into"
           " /etc/systemd/system/omerta-meshd.service.d and restart it";
}
