/*
 * confine.h - give up, in stages, what the daemon has no use for
 *
 * What:  early (before secrets are read), drop (sockets and files are open), seccomp (before the
 *        first datagram is served).
 * Why:   the daemon parses bytes of strangers all day: whoever takes it over shall find no
 *        capability, no other program to run and no core dump with keys in it.
 * Keeps: confine_early_leaves_no_dump_and_private_files; confine_drop_leaves_no_capability;
 *        confine_lets_the_daemon_work; confine_kills_what_it_never_does;
 *        confine_reaches_threads_that_run_already;
 *        confine_refuses_quietly_what_libraries_only_try.
 *
 *   start -> early -> open sockets, store, log -> drop -> seccomp -> serve
 *
 * Root: the daemon needs no privilege, so it does not ask for a user to become; started as root it
 * goes on as root without any capability. Root's own files it could still write: the system unit
 * gives it a user of its own, and is the way to run it for a whole machine.
 *
 * The filter kills the process at a call outside its list, because no code of ours makes one; what
 * libraries try and can do without (io_uring, clone3) fails with ENOSYS or EPERM instead. Threads
 * can be made, processes cannot. Memory is never writable and executable at once.
 *
 * Source: prctl(2), seccomp(2), capabilities(7).
 */
#ifndef OM_MESHD_CONFINE_H
#define OM_MESHD_CONFINE_H

#include <stdbool.h>

#include <omerta/err.h>

/**
 * om_confine_early() - no core dump, no debugger of the same user, files for ourselves alone
 * @err:  sentence for a person; may be NULL
 *
 * Return: OM_OK or OM_E_STATE.
 */
OM_MUST enum om_err om_confine_early(struct om_error *err);

/**
 * om_confine_drop() - drop every capability, and the way to get one back by running a program
 * @err:  sentence for a person; may be NULL
 *
 * Before there are threads: capabilities are of one thread, and others would keep theirs.
 *
 * Return: OM_OK or OM_E_STATE.
 */
OM_MUST enum om_err om_confine_drop(struct om_error *err);

/** om_confine_has_seccomp() - this build and this kernel can do it; false under sanitizers, which
 *  make calls of their own. */
bool om_confine_has_seccomp(void);

/**
 * om_confine_seccomp() - from now on the kernel ends us at any call that is not on the list
 * @err:  sentence for a person; may be NULL
 *
 * All threads, those there are and those to come.
 *
 * Return: OM_OK; OM_E_UNSUPPORTED when om_confine_has_seccomp() is false; OM_E_STATE.
 */
OM_MUST enum om_err om_confine_seccomp(struct om_error *err);

#endif
