/* audit.c - verification of outgoing datagrams. */
#include "envelope/audit.h"

#include <string.h>

#include <sodium.h>

enum { AUDIT_MAX = 9216 }; /* greatest datagram of ours: a jumbo path (PROTOCOL 5) */

bool om_audit_data(struct om_session *s, struct om_bytes dgram)
{
    uint8_t copy[AUDIT_MAX];

    if (!s->mirror || dgram.n < OM_OVERHEAD || dgram.n > sizeof copy)
        return false;
    memcpy(copy, dgram.p, dgram.n);
    om_header_mask(s->epoch->mask, dgram, copy);
    struct om_header h = om_header_decode(copy);
    size_t n = dgram.n - OM_OVERHEAD;
    bool ok =
        h.index == s->remote && om_aead_open(s->mirror, h.counter, om_bytes(copy, OM_HEADER_BYTES),
                                             copy + OM_HEADER_BYTES, n, copy + OM_HEADER_BYTES + n);
    sodium_memzero(copy, dgram.n);
    return ok;
}

bool om_audit_handshake(const struct om_epoch *epoch, struct om_bytes bind, struct om_bytes dgram)
{
    struct om_handshake_plain plain;
    uint8_t header[OM_HEADER_BYTES];

    if (dgram.n < OM_OVERHEAD)
        return false;
    om_header_mask(epoch->mask, dgram, header);
    return om_header_decode(header).index == 0 &&
           om_handshake_unmask(&plain, epoch, dgram, header) == OM_OK &&
           om_handshake_verify(&plain, epoch, bind);
}
