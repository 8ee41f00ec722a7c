/*
 * cidr.h - a range of IP addresses: prefix and length
 *
 * What:  parse, print, contains, overlaps; both families in one 16-byte form, as addr.h.
 * Why:   "10.1.2.3/8" is a slip of the finger in a firewall rule; it is named, not rounded down.
 * Keeps: cidr_text_round_trips; cidr_refuses_host_bits_and_names_the_prefix;
 *        cidr_refuses_bad_text; cidr_contains_counts_bits; cidr_overlap_is_containment.
 *
 * IPv4 lies inside IPv6 as ::ffff:0:0/96; so the range ::/0 holds the IPv4 addresses too, and
 * 0.0.0.0/0 is the range of all IPv4.
 *
 * Source: RFC 4632 section 3.1 (notation); RFC 4291 sections 2.3, 2.5.5.2.
 */
#ifndef OMERTA_CIDR_H
#define OMERTA_CIDR_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/addr.h>
#include <omerta/err.h>

enum {
    OM_CIDR_BITS_MAX = 128,
    OM_CIDR_TEXT = 50 /* OM_IP_TEXT and "/128" */
};

struct om_cidr {
    uint8_t ip[16]; /* IPv4 mapped; bits behind the prefix are zero */
    uint8_t bits;   /* of the 16 bytes: 120 for an IPv4 /24; above OM_CIDR_BITS_MAX: no address */
};

/**
 * om_cidr_parse() - read "10.0.0.0/8", "2001:db8::/32"; a bare IP is the range of itself
 * @out:   untouched on failure
 * @text:  terminated; host bits must be zero
 * @err:   sentence for a person, which names the right prefix when host bits are set; may be NULL
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_cidr_parse(struct om_cidr *out, const char *text, struct om_error *err);

/**
 * om_cidr_print() - text that om_cidr_parse() reads back, always with its length
 * @c:    the range
 * @out:  OM_CIDR_TEXT bytes, always terminated
 *
 * Return: @out.
 */
char *om_cidr_print(const struct om_cidr *c, char out[static OM_CIDR_TEXT]);

/** om_cidr_contains() - the IP of @a lies in @c; its port does not matter. */
bool om_cidr_contains(const struct om_cidr *c, const struct om_addr *a);

/** om_cidr_overlaps() - some address lies in both @a and @b. */
bool om_cidr_overlaps(const struct om_cidr *a, const struct om_cidr *b);

#endif
