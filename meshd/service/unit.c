/* unit.c - three variables of the environment. */
#include "service/unit.h"

#include <stdlib.h>

/* INVOCATION_ID alone is inherited by all that a service starts, shells too. */
const char *unit_hint(void)
{
    if (!getenv("INVOCATION_ID") || !getenv("NOTIFY_SOCKET") || getenv("OMERTA_PROVIDES"))
        return "";
    return "systemd keeps this daemon too close for virtual machines: put"
           " omerta-meshd-provide.conf, of share/omerta, into"
           " /etc/systemd/system/omerta-meshd.service.d and restart it";
}
