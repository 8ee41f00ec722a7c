/*
 * proxy.h - what a program says to a proxy port before its bytes may flow
 *
 * What:  one connection of a client: looks at its first byte, then speaks SOCKS5 or HTTP CONNECT
 *        with it until it is known where the client wants to go, and tells it how that went.
 * Why:   both protocols on one port, and neither knows a socket: whoever has the bytes drives it.
 * Keeps: proxy_tells_the_protocols_apart; proxy_any_cut_gives_the_same;
 *        proxy_leaves_the_bytes_of_the_tunnel; proxy_failed_swallows_the_rest;
 *        proxy_output_is_sent_in_pieces; proxy_config_is_checked; proxy_forgets_the_password.
 *
 *                  request whole                answer(OK)
 *   NEED_MORE ----------------> WANTS_CONNECT --------------> OPEN
 *       |                       WANTS_UDP
 *       |  refused                  |  answer(anything else)
 *       +---------------------------+-----------------------> FAILED
 *
 * Full: a request is bounded field by field (the headers of SOCKS5 fit OM_PROXY_LINE_MAX, those of
 *       HTTP the three limits below); what is longer is refused. How long a client may take, and
 *       how many there may be, is for whoever drives it.
 *
 * Source: RFC 1928 (SOCKS5), RFC 1929 (user and password), RFC 9110 section 9.3.6 (CONNECT),
 *         RFC 9112 (HTTP/1.1), RFC 7617 (Basic); the SOCKS4 protocol note (its code 91).
 */
#ifndef OMERTA_PROXY_H
#define OMERTA_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/err.h>
#include <omerta/target.h>

enum {
    OM_PROXY_LINE_MAX = 1024,         /* of the HTTP request line, without its end */
    OM_PROXY_HEADERS_MAX = 16 * 1024, /* all header lines of HTTP with their ends */
    OM_PROXY_HEADER_LINES_MAX = 100,  /* of HTTP */
    OM_PROXY_OUT_MAX = 768,           /* the longest of all is an HTTP refusal */
    OM_PROXY_SECRET_MAX = 255         /* of a user, of a password: RFC 1929 section 2 */
};

/* Borrowed by every proxy that was made with it; the password's owner is whoever made it. */
struct om_proxy_config {
    const char *user;     /* both NULL: everyone may use the port */
    const char *password; /* 1 to OM_PROXY_SECRET_MAX bytes each, without control characters */
    bool allow_udp;
};

enum om_proxy_state {
    OM_PROXY_NEED_MORE,     /* om_proxy_input() */
    OM_PROXY_WANTS_CONNECT, /* to target: om_proxy_answer() */
    OM_PROXY_WANTS_UDP,     /* target is where the client's datagrams may come from, or all zero */
    OM_PROXY_OPEN, /* send the output; what comes now is the tunnel's, or UDP's to ignore */
    /* send the output, end the direction to the client, and read what still comes until it ends
     * too: an early close would take the reply with it */
    OM_PROXY_FAILED
};

enum om_proxy_protocol { OM_PROXY_UNKNOWN, OM_PROXY_SOCKS5, OM_PROXY_HTTP };

/* How it went with what a client wanted; the SOCKS5 reply and the HTTP status of each:
 *    result          SOCKS5                       HTTP                                        */
#define OM_PROXY_RESULTS(X)                                                                        \
    X(OK, 0x00, 200, "Connection Established", "connected")                                        \
    X(FAILURE, 0x01, 502, "Bad Gateway", "the connection could not be made")                       \
    X(NOT_ALLOWED, 0x02, 403, "Forbidden", "this destination is not allowed here")                 \
    X(UNREACHABLE, 0x03, 502, "Bad Gateway", "no way leads to the destination")                    \
    X(NO_SUCH_HOST, 0x04, 502, "Bad Gateway", "no host has this name")                             \
    X(REFUSED, 0x05, 502, "Bad Gateway", "the destination refused the connection")                 \
    X(TTL, 0x06, 502, "Bad Gateway", "the way to the destination is too long")                     \
    X(TIMEOUT, 0x06, 504, "Gateway Timeout", "the destination did not answer in time")

enum om_proxy_result {
#define X(name, socks, status, phrase, text) OM_PROXY_##name,
    OM_PROXY_RESULTS(X)
#undef X
        OM_PROXY_RESULT_COUNT
};

/* Read freely state, target, protocol and why; write only through om_proxy_*(). */
struct om_proxy {
    const struct om_proxy_config *config; /* borrowed */
    enum om_proxy_state state;
    enum om_proxy_protocol protocol;
    struct om_target target; /* in WANTS_CONNECT, WANTS_UDP and OPEN */
    const char *why;         /* in FAILED: static text for a log */

    uint8_t stage; /* of the protocol */
    bool is_cr;    /* HTTP: its line feed must follow */
    bool is_cut;   /* HTTP: the line goes on past in[] */
    bool is_authorized;
    bool has_credentials;
    unsigned lines;                /* HTTP: headers so far */
    size_t headers_bytes;          /* HTTP: likewise */
    uint8_t in[OM_PROXY_LINE_MAX]; /* the unfinished message or line; wiped when it was read */
    size_t in_n;
    uint8_t out[OM_PROXY_OUT_MAX];
    size_t out_at, out_n;
};

/**
 * om_proxy_config_check() - may a port be opened with this?
 * @c:    the config
 * @err:  sentence for a person; may be NULL
 *
 * Return: OM_OK, or OM_E_RANGE: one of user and password without the other, one that is empty or
 * too long, a control character, or a user with a ":" (RFC 7617 could not say it).
 */
OM_MUST enum om_err om_proxy_config_check(const struct om_proxy_config *c, struct om_error *err);

/**
 * om_proxy_init() - a client has connected
 * @p:  the caller's storage
 * @c:  checked; borrowed until om_proxy_fini()
 */
void om_proxy_init(struct om_proxy *p, const struct om_proxy_config *c);

/** om_proxy_fini() - wipe @p. */
void om_proxy_fini(struct om_proxy *p);

/**
 * om_proxy_input() - bytes from the client
 * @p:   the proxy
 * @in:  in whatever pieces they came
 *
 * Return: how many of them were used. The rest is no part of the request: keep it for the tunnel.
 * In FAILED all of them are.
 */
OM_MUST size_t om_proxy_input(struct om_proxy *p, struct om_bytes in);

/** om_proxy_output() - what is to be sent to the client of @p: lent, and not moved before
 *  om_proxy_sent() has taken all of it. */
struct om_bytes om_proxy_output(const struct om_proxy *p);

/** om_proxy_sent() - the first @n bytes of the output of @p went out: nobody needs them now. */
void om_proxy_sent(struct om_proxy *p, size_t n);

/**
 * om_proxy_answer() - tell the client how it went; only in WANTS_CONNECT and WANTS_UDP
 * @p:      OPEN afterwards, or FAILED
 * @r:      how it went
 * @bound:  the address its bytes leave from, or where its datagrams are to be sent; NULL: unknown
 */
void om_proxy_answer(struct om_proxy *p, enum om_proxy_result r, const struct om_addr *bound);

/** om_proxy_result_text() - @r in a few words, static. */
const char *om_proxy_result_text(enum om_proxy_result r);

#endif
