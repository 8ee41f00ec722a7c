/*
 * ssh_proxy.h - OpenSSH's ProxyCommand that leads through the mesh
 *
 * What:  the command line of our own nc, quoted for the shell that OpenSSH starts.
 * Why:   the command line runs it, and the daemon writes it into files; a home with a space or a
 *        percent sign in its path must work in both.
 * Keeps: ssh_proxy_is_quoted_for_shell_and_ssh; ssh_proxy_says_when_there_is_no_room.
 *
 * Source: ssh_config(5), ProxyCommand and TOKENS.
 */
#ifndef OM_IPC_SSH_PROXY_H
#define OM_IPC_SSH_PROXY_H

#include <stdbool.h>
#include <stddef.h>

/* All borrowed. */
struct om_ssh_proxy {
    const char *program; /* omerta, its path */
    const char *home;
    const char *network; /* NULL: none is named */
    const char *to;      /* words for nc, not quoted: "%h %p" */
};

/** om_ssh_proxy_write() - @p as a command into the @n bytes at @out; false: no room. */
bool om_ssh_proxy_write(char *out, size_t n, const struct om_ssh_proxy *p);

/** om_ssh_path_is_odd() - would OpenSSH take something in @path, a value in quotes, for its own? */
bool om_ssh_path_is_odd(const char *path);

#endif
