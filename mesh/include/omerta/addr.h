/*
 * addr.h - one transport address: 16 bytes of IP (IPv4 mapped) and a port
 *
 * What:  parse, print, compare, classify.
 * Why:   one type for both families keeps "if IPv4" out of every table and codec; the wire form
 *        (PROTOCOL, preamble) is the same 16 bytes and u16.
 * Keeps: addr_text_round_trips; addr_classifies_the_registries; addr_refuses_bad_text;
 *        addr_source_cuts_v6_to_64; addr_wire_form_round_trips.
 *
 * Source: RFC 4291 section 2.5.5.2 (mapped addresses); IANA special-purpose registries (RFC 6890).
 */
#ifndef OMERTA_ADDR_H
#define OMERTA_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/wire.h>

enum {
    OM_ADDR_WIRE = 18,
    OM_ADDR_TEXT = 56, /* "[" + 45 of INET6_ADDRSTRLEN-1 + "]:65535" + NUL, rounded up */
    OM_IP_TEXT = 46    /* the 45 and NUL */
};

struct om_addr {
    uint8_t ip[16];
    uint16_t port; /* host order */
};

enum om_addr_class {
    OM_ADDR_UNSPECIFIED,
    OM_ADDR_LOOPBACK,
    OM_ADDR_LINK_LOCAL,
    OM_ADDR_PRIVATE, /* RFC 1918, fc00::/7 */
    OM_ADDR_SHARED,  /* 100.64.0.0/10, carrier-grade NAT */
    OM_ADDR_MULTICAST,
    OM_ADDR_METADATA, /* cloud metadata services: 169.254.169.254, fd00:ec2::254 and their like */
    OM_ADDR_RESERVED, /* documentation, benchmarking, broadcast, 240/4, 0/8, discard-only ... */
    OM_ADDR_GLOBAL,
    OM_ADDR_CLASS_COUNT
};

/**
 * om_addr_parse() - read "192.0.2.1:80", "[2001:db8::1]:80"; a bare IP gets @port
 * @out:   filled on success, untouched on failure
 * @text:  terminated; no names, no zone ids, no space
 * @port:  port for text without one; 0 makes the port mandatory
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_addr_parse(struct om_addr *out, const char *text, uint16_t port,
                                  struct om_error *err);

/**
 * om_addr_print() - text that om_addr_parse() reads back; IPv4 without brackets
 * @a:    the address
 * @out:  OM_ADDR_TEXT bytes, always terminated
 *
 * Return: @out.
 */
char *om_addr_print(const struct om_addr *a, char out[static OM_ADDR_TEXT]);

/**
 * om_addr_ip_parse() - an IP alone, as libc's inet_pton() reads it
 * @ip:    16 bytes, IPv4 mapped; untouched on failure
 * @text:  terminated; no port, no brackets, no zone
 *
 * Return: false when @text is no address.
 */
OM_MUST bool om_addr_ip_parse(uint8_t ip[static 16], const char *text);

/**
 * om_addr_ip_print() - text that om_addr_ip_parse() reads back
 * @ip:   16 bytes, IPv4 mapped
 * @out:  OM_IP_TEXT bytes, always terminated
 *
 * Return: @out.
 */
char *om_addr_ip_print(const uint8_t ip[static 16], char out[static OM_IP_TEXT]);

/**
 * om_addr_classify() - which of the special-purpose ranges an IP belongs to
 * @a:  IPv4-mapped addresses are classified as IPv4; so are those of the NAT64 prefix
 *      64:ff9b::/96, through which a translator would reach that IPv4 address
 *
 * Return: the class; OM_ADDR_GLOBAL for what no registry singles out.
 */
enum om_addr_class om_addr_classify(const struct om_addr *a);

/**
 * om_addr_class_name() - "loopback", "private" ... for logs and JSON
 * @c:  any value; unknown ones give "unknown"
 *
 * Return: static text.
 */
const char *om_addr_class_name(enum om_addr_class c);

/**
 * om_addr_v4() - an IPv4 address from its four bytes
 * @ip:    host order, 0xc0000201 is 192.0.2.1
 * @port:  host order
 *
 * Return: the mapped address.
 */
struct om_addr om_addr_v4(uint32_t ip, uint16_t port);

/** om_addr_is_v4() - true for an IPv4-mapped address @a. */
bool om_addr_is_v4(const struct om_addr *a);

/** om_addr_equal() - same IP and same port of @a and @b. */
bool om_addr_equal(const struct om_addr *a, const struct om_addr *b);

/**
 * om_addr_source() - the 16 bytes under which a source is rate-limited: IPv4 whole, IPv6 cut to /64
 * @a:    the address
 * @out:  16 bytes; PROTOCOL sections 3 and 5 count per IP (v6: /64)
 */
void om_addr_source(const struct om_addr *a, uint8_t out[static 16]);

/** om_addr_read() - the wire form, 18 bytes, from cursor @r. */
struct om_addr om_addr_read(struct om_rd *r);

/** om_addr_write() - the wire form of @a, 18 bytes, to cursor @w. */
void om_addr_write(struct om_wr *w, const struct om_addr *a);

#endif
