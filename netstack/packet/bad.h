/*
 * bad.h - why a packet is none
 *
 * What:  one list of reasons; whoever parses counts each, and each is one metric label.
 * Why:   what a VM or an overlay sends is hostile until it is read; it is counted and forgotten.
 * Keeps: packet_names_every_reason.
 */
#ifndef OM_PACKET_BAD_H
#define OM_PACKET_BAD_H

#define OM_BADS(X)                                                                                 \
    X(NONE, "none", "well formed")                                                                 \
    X(SHORT, "short", "ends before the header or the length that it promises")                     \
    X(VERSION, "version", "neither IPv4 nor IPv6")                                                 \
    X(HEADER, "header", "header length below the least, or beyond the packet")                     \
    X(LENGTH, "length", "a length field that contradicts the packet")                              \
    X(SUM, "checksum", "checksum wrong, or missing where it must be")                              \
    X(CHAIN, "chain", "extension headers out of place, too many or outdated")                      \
    X(FRAGMENT, "fragment", "fragment beyond 65,535 bytes, uneven, or over a TCP header")          \
    X(FLAGS, "flags", "TCP flags that no TCP sends together")                                      \
    X(OPTION, "option", "option that ends behind its header")                                      \
    X(TAGGED, "tagged", "802.1Q or 802.1ad tag: a port has no VLANs")                              \
    X(LLC, "llc", "IEEE 802.3 length in place of a type")                                          \
    X(MAC, "mac", "source address that is a group")

enum om_bad {
#define X(code, name, help) OM_BAD_##code,
    OM_BADS(X)
#undef X
        OM_BAD_COUNT
};

/** om_bad_name() - metric label of @b; "unknown" for a value that is none. */
const char *om_bad_name(enum om_bad b);

/** om_bad_text() - what @b means, for a person; "unknown" for a value that is none. */
const char *om_bad_text(enum om_bad b);

#endif
