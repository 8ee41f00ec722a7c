/*
 * pcap.h - packets in the format that tcpdump and Wireshark read
 *
 * What:  the head of a file, and one record for each packet, laid out in the caller's memory.
 * Why:   whoever owns a file writes it; this floor has none.
 * Keeps: pcap_is_laid_out_as_documented; pcap_refuses_what_does_not_fit.
 *
 * Source: draft-ietf-opsawg-pcap sections 4 and 5; its byte order is the writer's: ours is
 *         big-endian.
 */
#ifndef OMERTA_PCAP_H
#define OMERTA_PCAP_H

#include <omerta/bytes.h>

enum { OM_PCAP_HEAD = 24, OM_PCAP_RECORD = 16, OM_PCAP_SNAP = 262144 };

enum om_pcap_link { OM_PCAP_ETHERNET = 1, OM_PCAP_RAW = 101 };

/**
 * om_pcap_head() - what a file starts with
 * @out:   room for OM_PCAP_HEAD bytes
 * @link:  what each packet starts with
 *
 * Return: OM_PCAP_HEAD, or 0 when @out is too small.
 */
size_t om_pcap_head(struct om_mut out, enum om_pcap_link link);

/**
 * om_pcap_packet() - one packet, whole
 * @out:      room for OM_PCAP_RECORD bytes and the packet
 * @unix_us:  when, in microseconds since 1970
 * @packet:   at most OM_PCAP_SNAP bytes
 *
 * Return: the size of the record, or 0 when it does not fit.
 */
size_t om_pcap_packet(struct om_mut out, uint64_t unix_us, struct om_bytes packet);

#endif
