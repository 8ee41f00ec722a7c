/*
 * endpoint.h - the addresses at which a node may be met, its own and those that a peer names
 *
 * What:  a ranked, bounded list of candidates; the body of the CANDIDATES frame; and the check of
 *        every address that somebody else names, before anything is sent there.
 * Why:   an address that a peer names is where it makes us send to: it must not become a way to
 *        reach into our machine, our LAN, or a stranger's.
 * Keeps: endpoint_refuses_what_is_nowhere; endpoint_refuses_foreign_private;
 *        endpoint_refuses_ourselves; endpoints_are_ranked; endpoints_full_drops_the_worst;
 *        endpoints_change_moves_the_sequence; endpoints_round_trip; endpoints_refuse_bad_bytes;
 *        endpoints_take_only_what_may_be_probed.
 *
 *     CANDIDATES body = u32 sequence, u8 n <= 16, n x (u8 kind, address)
 *
 * Kinds are those of the record (peer/record.h). Private, shared, and reserved addresses pass only
 * if they lie in a range that this node calls near: those of its own links, and what the user
 * named. IPv6 link-local ones never do, since an address here has no scope.
 *
 * Source: PROTOCOL sections 4 (CANDIDATES), 5 (politeness); RFC 8445 sections 5.1.1.1 (what to
 *         leave out), 5.1.2 (priorities), 19.4.1 (attacks by candidates).
 */
#ifndef OM_PATH_ENDPOINT_H
#define OM_PATH_ENDPOINT_H

#include <omerta/cidr.h>

#include "peer/record.h"

enum {
    OM_CANDIDATES_MAX = 16,
    OM_ENDPOINTS_KIND_MAX = 6, /* of one kind and family: a host may have dozens of addresses */
    OM_ENDPOINTS_HEAD = 4 + 1,
    OM_ENDPOINTS_BYTES_MAX = OM_ENDPOINTS_HEAD + OM_CANDIDATES_MAX * (1 + OM_ADDR_WIRE),
    OM_NEAR_MAX = 16,
    OM_OWN_MAX = 32
};

/* Why an address is not probed. */
enum om_endpoint_verdict {
    OM_ENDPOINT_OK,
    OM_ENDPOINT_KIND,    /* unknown */
    OM_ENDPOINT_NOWHERE, /* no unicast address of another machine can be that */
    OM_ENDPOINT_FOREIGN, /* private to a network that is not ours */
    OM_ENDPOINT_OWN,
    OM_ENDPOINT_VERDICTS
};

struct om_endpoints {
    uint32_t sequence; /* grows with every change */
    unsigned count;
    struct om_record_end ends[OM_CANDIDATES_MAX]; /* best first */
};

/* Where this node is. */
struct om_endpoint_view {
    unsigned own_count;
    struct om_addr own[OM_OWN_MAX]; /* our sockets, at our addresses and at those others see */
    unsigned near_count;
    struct om_cidr near[OM_NEAR_MAX];
};

/**
 * om_endpoint_check() - may we send to this address because a peer named it?
 * @v:  where we are
 * @e:  the candidate
 *
 * Return: OM_ENDPOINT_OK, or the reason why not.
 */
enum om_endpoint_verdict om_endpoint_check(const struct om_endpoint_view *v,
                                           const struct om_record_end *e);

/** om_endpoint_verdict_name() - "ok", "foreign" ... of @v; "unknown" for any other. */
const char *om_endpoint_verdict_name(enum om_endpoint_verdict v);

/**
 * om_endpoints_add() - put a candidate in its place
 * @l:  the list; an address that is there keeps the better of its two kinds
 * @e:  kinds that are not known are refused
 *
 * Full, or with OM_ENDPOINTS_KIND_MAX of its kind and family: the worse one gives way.
 *
 * Return: true when it is in the list now.
 */
bool om_endpoints_add(struct om_endpoints *l, const struct om_record_end *e);

/**
 * om_endpoints_replace() - what we say of ourselves, if that changed
 * @l:    the list; its sequence grows when anything changes
 * @new:  the candidates there are now
 *
 * Return: true when @l changed, and is to be told.
 */
bool om_endpoints_replace(struct om_endpoints *l, const struct om_endpoints *new);

/**
 * om_endpoints_encode() - the body of a CANDIDATES frame
 * @out:  receives it
 * @l:    the list
 *
 * Return: bytes written.
 */
size_t om_endpoints_encode(uint8_t out[static OM_ENDPOINTS_BYTES_MAX],
                           const struct om_endpoints *l);

/**
 * om_endpoints_decode() - read the body of a CANDIDATES frame; the addresses are not checked
 * @out:  untouched on failure; in the order of the sender
 * @in:   as received
 *
 * Return: OM_OK, or OM_E_PARSE when it is cut, too long, or has too many.
 */
OM_MUST enum om_err om_endpoints_decode(struct om_endpoints *out, struct om_bytes in);

/**
 * om_endpoints_take() - what of a peer's list may be probed
 * @out:   ranked by our order, not the peer's; its sequence is that of @said
 * @v:     where we are
 * @said:  as decoded
 * @why:   counts by enum om_endpoint_verdict, added to
 */
void om_endpoints_take(struct om_endpoints *out, const struct om_endpoint_view *v,
                       const struct om_endpoints *said, uint64_t why[static OM_ENDPOINT_VERDICTS]);

#endif
