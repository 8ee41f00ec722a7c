/*
 * link_config.h - what a link is to be
 *
 * What:  from a line of JSON to kind, MTU and addresses, or a sentence about what is wrong.
 * Why:   a wrong prefix must be told to who wrote it, before there is a link.
 * Keeps: link_config_reads_what_is_right; link_config_names_what_is_wrong;
 *        link_gate_modes_have_names.
 *
 * The peer is not read here, nor whether it is a machine of its: that the daemon knows.
 */
#ifndef OM_LINKS_LINK_CONFIG_H
#define OM_LINKS_LINK_CONFIG_H

#include <jansson.h>

#include <omerta/id.h>
#include <omerta/stack.h>

#include "links/link_route.h"

enum { LINK_MTU_USUAL = 1500, LINK_NAME_MAX = 32 };

/* What the gate is told to do. None lets through what another would not, but for packets of TCP
 * that belong to nothing: these a stack of ours refuses, where the gate does not. */
#define LINK_GATE_MODES(X)                                                                         \
    X(CONNTRACK, "conntrack") /* each packet is checked and followed in its flow */                \
    X(FILTERED, "filtered")   /* each packet is checked alone */                                   \
    X(SAMPLED, "sampled")     /* as conntrack; counted by flow, and captured, is 1 in LINK_SAMPLE */

enum link_gate_mode {
#define X(code, name) LINK_GATE_##code,
    LINK_GATE_MODES(X)
#undef X
        LINK_GATE_MODE_COUNT
};

struct link_config {
    enum om_port_kind kind;
    uint16_t mtu;
    struct link_sides sides;
    char name[LINK_NAME_MAX + 1]; /* "": none */
    bool has_dns;                 /* names are answered at our own address */
    bool is_inward;               /* the peer may connect to what is behind it */
    bool has_dhcp;                /* Ethernet: the card is told its addresses */
    bool is_machine;              /* of a virtual machine: the peer decides by the name */
    uint8_t mac[OM_STACK_MAC], here_mac[OM_STACK_MAC]; /* Ethernet: the card's, and ours */
    struct om_id network, peer;
    /* Not read from words: whoever makes the link for a machine of its own sets these. */
    enum link_gate_mode gate;
    uint32_t rate; /* bytes a second, each way; 0: any number */
};

/** link_gate_mode_name() - "conntrack" and so on, for @m. */
const char *link_gate_mode_name(enum link_gate_mode m);

/** link_gate_mode_read() - by @out the mode called @name; false when none is. */
bool link_gate_mode_read(enum link_gate_mode *out, const char *name);

/**
 * link_config_read() - all but network and peer
 * @out:    written on success
 * @words:  kind, mtu, here, there, here6, there6, mac, here_mac, name, dns, dhcp, inward
 * @err:    sentence for a person
 *
 * Return: false and @err when they make no link.
 */
bool link_config_read(struct link_config *out, const json_t *words, struct om_error *err);

/** link_config_own6() - by @out the address that a card with @mac makes for itself of the first 64
 *  bits of @prefix (RFC 4291 appendix A). */
void link_config_own6(struct om_addr *out, const struct om_addr *prefix,
                      const uint8_t mac[static OM_STACK_MAC]);

#endif
