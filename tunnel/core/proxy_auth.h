/*
 * proxy_auth.h - is this the user, and this the password?
 *
 * What:  the one comparison of what a client said with what was configured.
 * Why:   it takes as long for a wrong first letter as for a wrong last one, and it leaves no copy.
 * Keeps: proxy_auth_wants_both_whole.
 */
#ifndef OM_TUNNEL_PROXY_AUTH_H
#define OM_TUNNEL_PROXY_AUTH_H

#include <omerta/proxy.h>

/** om_proxy_auth_is_on() - @c asks for a user and a password. */
bool om_proxy_auth_is_on(const struct om_proxy_config *c);

/** om_proxy_auth_check() - are @user and @password those of @c, which asks for them? */
OM_MUST bool om_proxy_auth_check(const struct om_proxy_config *c, struct om_bytes user,
                                 struct om_bytes password);

/** om_proxy_auth_basic() - are the credentials of RFC 7617 in @text (base64 of user ":" password)
 *  those of @c? */
OM_MUST bool om_proxy_auth_basic(const struct om_proxy_config *c, struct om_bytes text);

#endif
