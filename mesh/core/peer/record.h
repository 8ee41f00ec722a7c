/*
 * record.h - what a node says about itself, signed, so that anybody may pass it on
 *
 * What:  codec, signature and check of the record of PROTOCOL section 10.
 * Why:   knowledge of a network travels by strangers; only the origin's signature counts.
 * Keeps: record_round_trips; record_refuses_cut_and_long; record_refuses_any_flipped_bit;
 *        record_keeps_unknown_fields; record_is_of_one_network.
 *
 *     u8 1, 32 B key, u48 sequence (ms), u32 expires (s), u8 flags, u8 NAT kind,
 *     u8 n <= 8, n x (u8 kind, address), u16 length, {u8 type, u16 length, value}, signature
 *
 * Source: PROTOCOL sections 1 (signatures) and 10.
 */
#ifndef OM_PEER_RECORD_H
#define OM_PEER_RECORD_H

#include <omerta/addr.h>

#include "crypto/identity.h"

enum {
    OM_RECORD_VERSION = 1,
    OM_RECORD_MAX = 1024,
    OM_RECORD_ENDS_MAX = 8,
    OM_RECORD_LIFE_S = 24 * 3600, /* it expires no later after its making */
    OM_RECORD_AHEAD_S = 24 * 3600 /* clocks may be wrong by so much */
};

enum om_record_flag { OM_RECORD_RELAY = 1 }; /* willing to relay */

/* How an endpoint is known to its owner. Others are kept and not used. */
enum om_end_kind { OM_END_HOST = 1, OM_END_REFLEXIVE, OM_END_MAPPED, OM_END_LAN, OM_END_RELAY };

/* What a field holds. Others are kept and passed on. */
enum om_record_field {
    OM_FIELD_NAME = 1,       /* UTF-8, at most 32 bytes */
    OM_FIELD_SERVICE = 2,    /* a service's name, one field each */
    OM_FIELD_CAPABILITY = 3, /* u8 type, value: what the machine offers */
    OM_FIELD_CREDENTIAL = 4  /* u8 kind, credential: of a closed network's member */
};

struct om_record_end {
    uint8_t kind;
    struct om_addr addr;
};

struct om_record {
    struct om_id id;
    uint64_t sequence; /* ms of the origin's calendar; grows with every record */
    uint32_t expires;  /* s of the calendar */
    uint8_t flags;
    uint8_t nat;
    uint8_t end_count;
    struct om_record_end ends[OM_RECORD_ENDS_MAX];
    struct om_bytes fields; /* {u8 type, u16 length, value}..., checked to be whole */
};

/**
 * om_record_encode() - write and sign
 * @out:      receives at most OM_RECORD_MAX bytes
 * @r:        what to say; its id must be the signer's
 * @self:     the signer
 * @network:  the network it is meant for
 *
 * Return: bytes written; 0 when it would not fit.
 */
size_t om_record_encode(uint8_t out[static OM_RECORD_MAX], const struct om_record *r,
                        const struct om_identity *self, const struct om_id *network);

/**
 * om_record_decode() - read; the signature is not checked
 * @out:  untouched on failure; fields point into @in
 * @in:   as received
 *
 * Return: OM_OK, OM_E_RANGE over OM_RECORD_MAX, OM_E_UNSUPPORTED for another version, OM_E_PARSE.
 */
OM_MUST enum om_err om_record_decode(struct om_record *out, struct om_bytes in);

/**
 * om_record_field() - the next field
 * @at:     cursor: starts as om_rd(record.fields)
 * @type:   receives the type
 * @value:  receives the value, lent
 *
 * Return: false at the end.
 */
bool om_record_field(struct om_rd *at, uint8_t *type, struct om_bytes *value);

/**
 * om_record_verify() - is the signature at the end of @in that of @id?
 * @network:  the network it must be meant for
 * @id:       who is said to have signed
 * @in:       signed bytes and signature
 *
 * The one place where signatures of gossip are checked (record_verify.c): the simulator links
 * another definition that remembers what it checked, since its thousands of nodes check the same.
 *
 * Return: true when it holds.
 */
bool om_record_verify(const struct om_id *network, const struct om_id *id, struct om_bytes in);

#endif
