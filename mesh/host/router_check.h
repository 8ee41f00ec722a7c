/*
 * router_check.h - does the router of this machine make port mappings?
 *
 * What:  asks the gateway of the IPv4 default route by NAT-PMP, and whoever answers SSDP by
 *        UPnP IGD, for the external address; nothing is mapped.
 * Why:   whether strangers can reach this machine depends on it, and a person can switch it on.
 * Keeps: router_check_without_a_route_asks_nobody; router_check_sentence_for_each_outcome;
 *        router_check_reads_a_nat_pmp_answer.
 *
 * It blocks, up to ROUTER_NATPMP_MS and then ROUTER_SSDP_MS, and then as long as an IGD that said
 * it is there takes to describe itself: for programs that check and end, never for the daemon.
 *
 * Source: RFC 6886 sections 3.1 and 3.2 (NAT-PMP, external address); UPnP Device Architecture 1.1
 *         section 1.3 (SSDP); WANIPConnection:1 section 2.4.18 (GetExternalIPAddress).
 */
#ifndef OM_HOST_ROUTER_CHECK_H
#define OM_HOST_ROUTER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/attr.h>

enum {
    ROUTER_NATPMP_MS = 1750, /* three tries: after 250, 500 and 1000 ms */
    ROUTER_SSDP_MS = 1000,
    ROUTER_ADDR_TEXT = 16,
    ROUTER_SENTENCE = 192
};

struct router_answer {
    bool has_gateway, has_natpmp, has_upnp;
    char gateway[ROUTER_ADDR_TEXT];  /* of the best IPv4 default route */
    char external[ROUTER_ADDR_TEXT]; /* "" when neither told one that is not 0.0.0.0 */
};

/** router_check() - ask the router of this machine's IPv4 default route; fills @out. */
void router_check(struct router_answer *out);

/** router_natpmp() - ask @gateway, in network order, alone and by NAT-PMP; fills @out. */
void router_natpmp(uint32_t gateway, struct router_answer *out);

/**
 * router_sentence() - what @a means, for people
 * @a:    what was found
 * @out:  the sentence
 *
 * Return: true when the router makes mappings; false when relays will be used.
 */
bool router_sentence(const struct router_answer *a, char out[static ROUTER_SENTENCE]);

#endif
