/*
 * exit.h - what the daemon's exit code says
 *
 * What:  one number for each reason that a script or a service manager acts upon.
 * Why:   restarting helps after some and never after others.
 */
#ifndef OM_MESHD_EXIT_H
#define OM_MESHD_EXIT_H

enum om_exit {
    OM_EXIT_OK = 0,     /* ended as it was asked to */
    OM_EXIT_FAILED = 1, /* something of the machine failed; trying again may help */
    OM_EXIT_USAGE = 2,  /* wrong command line */
    OM_EXIT_CONFIG = 3, /* the configuration is refused */
    OM_EXIT_HOME = 4,   /* the home cannot be used, or another daemon uses it */
    OM_EXIT_PORT = 5    /* the UDP port is in use */
};

#endif
