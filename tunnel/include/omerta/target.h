/*
 * target.h - where a program wants to go: a name or an address, and a port
 *
 * What:  made from the text or the address of a request; text that is an address becomes one.
 * Why:   a name is resolved at the far side, an address is judged as it is; what says which of the
 *        two it is must not be guessed again at each place that reads it.
 * Keeps: target_takes_names; target_takes_addresses; target_refuses_what_no_host_name_holds;
 *        target_encloses_v6_in_brackets.
 *
 * Source: RFC 1123 section 2.1 and RFC 1035 section 2.3.4 (names; "_" is common in practice),
 *         RFC 3986 section 3.2.2 (brackets).
 */
#ifndef OMERTA_TARGET_H
#define OMERTA_TARGET_H

#include <stdbool.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>

enum { OM_TARGET_NAME_MAX = 255, OM_TARGET_LABEL_MAX = 63 };

/* Read freely. */
struct om_target {
    bool is_name;
    char host[OM_TARGET_NAME_MAX + 1]; /* terminated: the name, or the address without brackets */
    struct om_addr addr;               /* its ip only when !is_name, its port always */
};

/**
 * om_target_from_text() - a host as a request writes it
 * @out:   untouched on failure
 * @host:  1 to OM_TARGET_NAME_MAX bytes: an IPv4 address, an IPv6 address in brackets, or letters,
 *         digits, "-" and "_" in labels joined by "."; one "." may end it
 * @port:  host order
 *
 * Return: false when @host is none of these.
 */
OM_MUST bool om_target_from_text(struct om_target *out, struct om_bytes host, uint16_t port);

/**
 * om_target_from_addr() - an address
 * @a:  IPv4 mapped or IPv6
 *
 * Return: the target.
 */
struct om_target om_target_from_addr(const struct om_addr *a);

#endif
