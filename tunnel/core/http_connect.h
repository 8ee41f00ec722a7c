/*
 * http_connect.h - the HTTP side of a proxy
 *
 * What:  CONNECT and the headers after it, line by line; of the headers only the credentials
 *        matter, the others must be well-formed.
 * Why:   two readings of one request are how requests are smuggled: so what RFC 9112 only
 *        tolerates (a bare line feed, folded lines, space before a colon) is refused.
 * Keeps: http_connect_takes_every_authority; http_connect_any_cut_gives_the_same;
 *        http_connect_refuses_bad_authorities; http_connect_refuses_bad_lines;
 *        http_connect_refuses_bad_headers; http_connect_lines_are_bounded;
 *        http_connect_headers_are_bounded; http_connect_wants_the_password;
 *        http_connect_names_the_right_use; http_connect_answers_with_a_sentence.
 *
 * Full: a line that is too long gets 414, headers that are too many get 431.
 *
 * Source: RFC 9110 sections 5.5 (field values), 5.6.2 (tokens), 9.3.6 (CONNECT) and 15 (status);
 *         RFC 9112 sections 2.2 (lines), 3 (request line), 5 (fields) and 6.3; RFC 7617 (Basic).
 */
#ifndef OM_TUNNEL_HTTP_CONNECT_H
#define OM_TUNNEL_HTTP_CONNECT_H

#include <omerta/proxy.h>

/** om_http_connect_input() - bytes @in from the client of @p; returns how many were used. */
OM_MUST size_t om_http_connect_input(struct om_proxy *p, struct om_bytes in);

/** om_http_connect_answer() - put the response for @r to the output of @p. */
void om_http_connect_answer(struct om_proxy *p, enum om_proxy_result r);

#endif
