/*
 * sdnotify.h - tell the service manager how we are
 *
 * What:  READY=1, RELOADING=1, STOPPING=1, WATCHDOG=1 to $NOTIFY_SOCKET.
 * Why:   systemd then knows when the daemon serves, and restarts one that hangs.
 * Keeps: sdnotify_says_it_to_the_socket; sdnotify_without_manager_is_silent;
 *        sdnotify_watchdog_is_half_its_time.
 *
 * Source: sd_notify(3), "Standalone Implementations"; sd_watchdog_enabled(3).
 */
#ifndef OM_MESHD_SDNOTIFY_H
#define OM_MESHD_SDNOTIFY_H

#include <stdbool.h>

#include <omerta/time.h>

/** om_sdnotify() - send @state, lines of NAME=VALUE; false when nobody listens. */
bool om_sdnotify(const char *state);

/** om_sdnotify_watchdog() - how often WATCHDOG=1 is due: half of what was asked; 0: never. */
om_time om_sdnotify_watchdog(void);

#endif
