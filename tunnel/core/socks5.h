/*
 * socks5.h - the SOCKS5 side of a proxy
 *
 * What:  greeting, user and password, request; one message at a time and not a byte more.
 * Keeps: socks5_any_cut_gives_the_same; socks5_refuses_other_methods; socks5_wants_the_password;
 *        socks5_refuses_bad_requests; socks5_refuses_bind; socks5_udp_only_when_allowed;
 *        socks5_replies_as_the_rfc_says; socks4_is_refused.
 *
 *              +----+----------+----------+      +----+-----+-------+------+----------+----------+
 *   greeting   |VER | NMETHODS | METHODS  |  and |VER | CMD |  RSV  | ATYP | DST.ADDR | DST.PORT |
 *              +----+----------+----------+      +----+-----+-------+------+----------+----------+
 *              | 1  |    1     | 1 to 255 |      | 1  |  1  | X'00' |  1   | Variable |    2     |
 *              +----+----------+----------+      +----+-----+-------+------+----------+----------+
 *
 * Source: RFC 1928 sections 3 to 6, RFC 1929.
 */
#ifndef OM_TUNNEL_SOCKS5_H
#define OM_TUNNEL_SOCKS5_H

#include <omerta/proxy.h>
#include <omerta/wire.h>

enum { OM_SOCKS4_VERSION = 4, OM_SOCKS5_VERSION = 5 };

enum om_socks5_atyp { OM_SOCKS5_V4 = 1, OM_SOCKS5_NAME = 3, OM_SOCKS5_V6 = 4 };

/** om_socks5_input() - bytes @in from the client of @p; returns how many were used. */
OM_MUST size_t om_socks5_input(struct om_proxy *p, struct om_bytes in);

/** om_socks5_answer() - put the reply for @r to the output of @p; @bound or NULL. */
void om_socks5_answer(struct om_proxy *p, enum om_proxy_result r, const struct om_addr *bound);

/** om_socks4_refuse() - @p spoke SOCKS4: put its reply "rejected or failed", and fail. */
void om_socks4_refuse(struct om_proxy *p);

/**
 * om_socks5_read_target() - ATYP, address and port
 * @r:    the cursor; bad when they are not whole
 * @out:  meaningful when true
 *
 * Return: false when the cursor is bad, or for an address of no kind or a name that is none.
 */
OM_MUST bool om_socks5_read_target(struct om_rd *r, struct om_target *out);

/** om_socks5_write_target() - ATYP, address and port of @t to cursor @w. */
void om_socks5_write_target(struct om_wr *w, const struct om_target *t);

#endif
