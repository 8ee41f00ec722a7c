/*
 * dns_exit.h - names asked of this machine's resolvers, for peers and for what is dialled
 *
 * What:  a DNS message in, the whole answer out; or a host's name in, its addresses out.
 * Why:   whoever goes to the internet through a peer has its names asked there, too; and the thread
 *        pool has too few threads for the names of many.
 * Keeps: dns_exit_asks_and_gives_the_whole_answer; dns_exit_remembers_and_ages;
 *        dns_exit_takes_long_answers; dns_exit_drops_what_is_no_answer;
 *        dns_exit_gives_up_in_time; dns_exit_can_be_cancelled; dns_exit_is_bounded;
 *        dns_exit_finds_addresses; dns_exit_says_why_not.
 *
 * What leaves is written anew from the question: options of peers stay here. Answers have the
 * question's id and case; answers that are none, or that cannot be walked, become SERVFAIL.
 *
 * The system's resolvers are those of resolv.conf as it is when a question comes.
 *
 * Full: OM_DNS_QUERIES_MAX under way, and of one asker as many as are free: one alone has half of
 * them, and some are left for who comes next, however many take all they get. Then OM_E_FULL, but
 * not for who asks for an address, which is known at once. The cache has its own bounds.
 *
 * Source: RFC 1035 sections 4 and 7; RFC 5452; RFC 7766 section 5 (TCP when cut).
 */
#ifndef OM_TUNNEL_DNS_EXIT_H
#define OM_TUNNEL_DNS_EXIT_H

#include <uv.h>

#include <omerta/addr.h>
#include <omerta/attr.h>
#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/rng.h>

enum {
    OM_DNS_QUERIES_MAX = 1024,
    OM_DNS_QUERY_MAX = 512, /* bytes of a question */
    OM_DNS_GIVE_UP_MS = 4000,
    OM_DNS_LOOK_MS = 1000, /* between looks at whether the system's resolvers changed */
    OM_DNS_UPSTREAMS_MAX = 16,
    OM_DNS_FOUND_MAX = 16 /* addresses of a host */
};

enum om_dns_found { OM_DNS_FOUND, OM_DNS_NO_SUCH_HOST, OM_DNS_NO_ANSWER, OM_DNS_FAILED };

struct om_dns_exit;
struct om_dns_query;

/* @answer: lent; never empty. */
typedef void (*om_dns_answered)(void *self, struct om_bytes answer);

/* @addrs: @count of them, lent; none unless OM_DNS_FOUND. */
typedef void (*om_dns_resolved)(void *self, enum om_dns_found found, const struct om_addr *addrs,
                                unsigned count);

struct om_dns_exit_config {
    uv_loop_t *loop;
    struct om_rng rng;
    const struct om_addr *upstreams; /* copied; with none, as the system has them */
    unsigned count;                  /* at most OM_DNS_UPSTREAMS_MAX */
};

/**
 * om_dns_exit_open() - begin
 * @out:     receives it
 * @config:  copied
 *
 * Return: OM_OK, OM_E_NO_MEM, OM_E_STATE.
 */
OM_MUST enum om_err om_dns_exit_open(struct om_dns_exit **out,
                                     const struct om_dns_exit_config *config);

/** om_dns_exit_close() - end @x, which is freed once the loop has run; what is under way is
 *  cancelled. Not from within an answer. NULL is fine. */
void om_dns_exit_close(struct om_dns_exit *x);

/** om_dns_exit_again() - the network or the configuration changed: soon have @x ask @upstreams, of
 *  which there are @count, or the system's, read anew; forget what others said. */
void om_dns_exit_again(struct om_dns_exit *x, const struct om_addr *upstreams, unsigned count);

/**
 * om_dns_exit_ask() - ask a question
 * @out:    receives what om_dns_query_cancel() takes, until @done was called
 * @x:      whom
 * @who:    for whom; copied
 * @query:  a DNS message of at most OM_DNS_QUERY_MAX bytes
 * @done:   called once, later, at the latest after OM_DNS_GIVE_UP_MS; what went wrong is an answer
 *          too, with its rcode
 * @self:   its first argument
 *
 * Return: OM_OK; OM_E_PARSE when it is no question; OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_dns_exit_ask(struct om_dns_query **out, struct om_dns_exit *x,
                                    const struct om_id *who, struct om_bytes query,
                                    om_dns_answered done, void *self);

/**
 * om_dns_exit_resolve() - find the addresses of a host, of both families, in order of use
 * @out:   as om_dns_exit_ask()
 * @x:     whom
 * @who:   for whom; copied
 * @host:  a name, or an address without brackets, which is its own answer
 * @port:  of every address found
 * @done:  called once, later
 * @self:  its first argument
 *
 * Return: OM_OK, OM_E_RANGE for a name that is too long, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_dns_exit_resolve(struct om_dns_query **out, struct om_dns_exit *x,
                                        const struct om_id *who, const char *host, uint16_t port,
                                        om_dns_resolved done, void *self);

/** om_dns_query_cancel() - nobody waits for @q any more: its done is not called. */
void om_dns_query_cancel(struct om_dns_query *q);

#endif
