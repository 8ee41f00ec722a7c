/*
 * link_ack.h - an acknowledgement that makes the one before it needless
 *
 * What:  tells whether of two frames for a machine, both nothing but acknowledgements of TCP, the
 *        later one says all that the earlier one does.
 * Why:   what a machine sends is read in pieces of many packets, and every second one is answered.
 *        Such answers cost a guest as much as a tenth of what it sends, more where its processor is
 *        emulated, and only the last of them tells it anything.
 * Keeps: link_ack_follows_an_older_one; link_ack_keeps_what_says_more;
 *        link_ack_reads_no_further_than_there_is.
 *
 * Source: RFC 9293 section 3.8.6.3 (acknowledgements are cumulative), RFC 5681 section 4.2 (fewer
 * than every second segment is allowed where a sender counts bytes, RFC 3465); two with the same
 * number are duplicates and mean loss, RFC 5681 section 3.2.
 */
#ifndef OM_LINKS_LINK_ACK_H
#define OM_LINKS_LINK_ACK_H

#include <stdbool.h>

#include <omerta/wire.h>

/**
 * link_ack_follows() - may @next take the place of @waiting?
 * @is_ether:  both begin with an Ethernet header
 * @waiting:   a frame of ours that has not left yet
 * @next:      the one after it
 *
 * Return: true for the same connection, without data, options or flags but ACK, where @next
 * acknowledges more.
 */
bool link_ack_follows(bool is_ether, struct om_bytes waiting, struct om_bytes next);

#endif
