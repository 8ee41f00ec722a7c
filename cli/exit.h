/*
 * exit.h - what the exit code of omerta says
 *
 * What:  six codes, also listed by `omerta help exit-codes` and the man page.
 * Why:   a script must tell "the daemon is not running" from "the peer did not answer".
 */
#ifndef OM_CLI_EXIT_H
#define OM_CLI_EXIT_H

#define OM_EXITS(X)                                                                                \
    X(OM_EXIT_OK, "done")                                                                          \
    X(OM_EXIT_FAILED, "what was asked for failed: no answer, a check that fails, a file refused")  \
    X(OM_EXIT_USAGE, "wrong usage: unknown command or option, bad or ambiguous argument")          \
    X(OM_EXIT_NO_DAEMON, "no daemon answers: start one with `omerta up`")                          \
    X(OM_EXIT_REFUSED, "the daemon refused the request and said why")                              \
    X(OM_EXIT_TIMEOUT, "the daemon took the request and did not answer in time")

enum om_exit {
#define X(code, text) code,
    OM_EXITS(X)
#undef X
        OM_EXIT_COUNT
};

#endif
