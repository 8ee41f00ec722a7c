/*
 * rule.h - one line of a filter: allow or deny, direction, range, protocol, ports
 *
 * What:  parse and print "allow out 10.0.0.0/8 tcp 80-443".
 * Why:   the same words stand in the configuration, on the command line and in an event.
 * Keeps: rule_text_round_trips; rule_refuses_bad_text.
 */
#ifndef OM_GUARD_RULE_H
#define OM_GUARD_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/cidr.h>
#include <omerta/err.h>

enum { OM_RULE_TEXT = 96 };

/* Seen from the port: out is what the machine or overlay behind it sends. */
enum om_direction { OM_OUT, OM_IN, OM_DIRECTION_COUNT };

enum om_rule_proto { OM_RULE_ANY, OM_RULE_TCP, OM_RULE_UDP, OM_RULE_ICMP, OM_RULE_PROTO_COUNT };

struct om_rule {
    bool is_allow;
    bool is_of[OM_DIRECTION_COUNT]; /* of packets that open something in this direction */
    struct om_cidr net;             /* the far end */
    enum om_rule_proto proto;       /* ICMP is that of both families */
    uint16_t port_first,
        port_last; /* of the destination, where there are ports; 0 and 65535: any */
};

/**
 * om_rule_parse() - read "allow|deny out|in|both RANGE|any [any|icmp|tcp [PORTS]|udp [PORTS]]"
 * @out:   untouched on failure
 * @text:  terminated; words with one space between them; PORTS is "443" or "80-443"
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_rule_parse(struct om_rule *out, const char *text, struct om_error *err);

/** om_rule_print() - text of @r to @out, OM_RULE_TEXT bytes, that om_rule_parse() reads back. */
char *om_rule_print(const struct om_rule *r, char out[static OM_RULE_TEXT]);

#endif
