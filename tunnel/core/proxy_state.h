/*
 * proxy_state.h - what the two protocols of a proxy do to it
 *
 * What:  output, and the ways out of NEED_MORE; for socks5.c and http_connect.c only.
 */
#ifndef OM_TUNNEL_PROXY_STATE_H
#define OM_TUNNEL_PROXY_STATE_H

#include <omerta/proxy.h>

/** om_proxy_put() - append @b to the output of @p; that it fits is our promise. */
void om_proxy_put(struct om_proxy *p, struct om_bytes b);

/** om_proxy_fail() - @p is FAILED because of @why, static text; its reply is put already. */
void om_proxy_fail(struct om_proxy *p, const char *why);

/** om_proxy_forget() - wipe the message or line that @p has read. */
void om_proxy_forget(struct om_proxy *p);

#endif
