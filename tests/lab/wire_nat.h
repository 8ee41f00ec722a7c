/*
 * wire_nat.h - the simulator's NAT on a cable: frames of real kernels, rewritten
 *
 * What:  says of each Ethernet frame whether it goes on, turns round or is dropped, and writes the
 *        addresses and ports that natbox.h chose into those of IPv4 UDP, checksums included.
 * Why:   carriers' boxes count ports up, deal them in blocks and use each once; nftables does none
 *        of it. With the very model of the simulator, what real daemons do behind a box of a kind
 *        and what the simulator says of it are about one thing.
 * Keeps: wire_nat_rewrites_both_ways; wire_nat_is_the_simulators; wire_nat_turns_round;
 *        wire_nat_passes_what_is_not_ipv4; wire_nat_drops_what_it_cannot_translate;
 *        wire_nat_refuses_nonsense.
 *
 * UDP only: the model knows nothing else, so other IPv4 (TCP, ICMP, fragments, broken packets) is
 * dropped and counted. ARP and IPv6 go on as they are.
 *
 * The inside of the cable is a router that only forwards: it has charged the TTL, so none is
 * charged here, and a datagram with too small a one never gets here. One that turns round has the
 * hardware addresses of its frame exchanged, as it goes back to whom it came from.
 *
 * Full: natbox.h; the answer is counted, the frame dropped.
 */
#ifndef OM_LAB_WIRE_NAT_H
#define OM_LAB_WIRE_NAT_H

#include "natbox.h"

enum wire_nat_way { WIRE_NAT_ON, WIRE_NAT_BACK, WIRE_NAT_DROP };

/* Read freely; write only through wire_nat_*(). */
struct wire_nat {
    struct sim_natbox box;
    uint64_t untranslated; /* IPv4 that is no whole UDP datagram, or not for the box */
};

/**
 * wire_nat_init() - a box that has seen nothing
 * @n:     storage of the caller, untouched when it is refused
 * @text:  "OUTSIDE KIND [PROPERTY...]": its outside address, and the words of natkind.h
 * @seed:  decides its ports
 *
 * Return: false when @text is none of that.
 */
bool wire_nat_init(struct wire_nat *n, const char *text, uint64_t seed);

/** wire_nat_fini() - release the memory of @n. */
void wire_nat_fini(struct wire_nat *n);

/**
 * wire_nat_frame() - a frame came
 * @n:       the box
 * @now:     when; never before the last call
 * @is_out:  from the inside
 * @frame:   from the Ethernet header on; rewritten unless it is dropped
 *
 * Return: on to the other side, back to where it came from, or nowhere, which is counted.
 */
enum wire_nat_way wire_nat_frame(struct wire_nat *n, om_time now, bool is_out, struct om_mut frame);

#endif
