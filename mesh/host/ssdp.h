/*
 * ssdp.h - where the gateway describes itself as an Internet Gateway Device
 *
 * What:  one SSDP search, and the first answer of the gateway itself.
 * Why:   everybody on a link may answer a search, for ever, and name any URL to be fetched; only
 *        the gateway is a router of ours, and only its own URLs are asked.
 * Keeps: ssdp_reads_an_answer; ssdp_refuses_other_hosts_and_schemes;
 *        ssdp_refuses_what_is_no_answer; ssdp_url_is_at_its_host.
 *
 * The search goes to the group, and to the gateway alone for hosts without a multicast route.
 *
 * Source: UPnP Device Architecture 1.1 section 1.3 (search, unicast search, response).
 */
#ifndef OM_HOST_SSDP_H
#define OM_HOST_SSDP_H

#include <omerta/bytes.h>
#include <omerta/err.h>

#include "portmap_speak.h"

enum {
    SSDP_URL = 256,
    SSDP_ANSWER_BYTES = 1536,
    SSDP_MS = 2000,      /* twice the MX of 1 s that others have to answer */
    SSDP_AGAIN_MS = 500, /* then the search is sent once more */
    SSDP_ANSWERS_MAX = 256
};

/**
 * ssdp_find() - search for the gateway's description; blocks
 * @gateway:  in network order
 * @until:    when to give up, SSDP_MS at most
 * @is_off:   looked at meanwhile
 * @url:      set when true is returned
 *
 * Return: true when the gateway answered with a URL of its own.
 */
bool ssdp_find(uint32_t gateway, om_time until, atomic_bool *is_off, char url[static SSDP_URL]);

/**
 * ssdp_read() - the URL in an answer to a search
 * @in:    as received
 * @host:  the only one that it may lead to, as dotted text
 * @url:   set when true is returned
 *
 * Return: false when it is no answer of an Internet Gateway Device, or leads elsewhere.
 */
bool ssdp_read(struct om_bytes in, const char *host, char url[static SSDP_URL]);

/** ssdp_is_at() - is @url one of plain HTTP at @host, given as dotted text? */
bool ssdp_is_at(const char *url, const char *host);

#endif
