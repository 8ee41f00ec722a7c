/*
 * audit.h - proof, for each datagram, that what leaves is sealed
 *
 * What:  opens a copy of an outgoing datagram with the key it should be under.
 * Why:   the type already says that it is sealed; the audit shows it at run time, to who doubts
 *        it, and refuses (never aborts) when it is not.
 * Keeps: audit_passes_sealed_data; audit_refuses_altered_data; audit_refuses_altered_handshake.
 *
 * Source: ARCHITECTURE section 4 (SealedEnvelope).
 */
#ifndef OM_ENVELOPE_AUDIT_H
#define OM_ENVELOPE_AUDIT_H

#include "envelope/envelope.h"

/**
 * om_audit_data() - is @dgram a packet sealed under @s?
 * @s:      a session with a mirror key
 * @dgram:  what is about to leave
 *
 * Return: true when it opens, and its index and counter are masked.
 */
bool om_audit_data(struct om_session *s, struct om_bytes dgram);

/**
 * om_audit_handshake() - is @dgram a handshake authenticated and masked under @epoch?
 * @epoch:  whose outer keys were used
 * @bind:   what T is bound to
 * @dgram:  what is about to leave
 *
 * Return: true when T holds.
 */
bool om_audit_handshake(const struct om_epoch *epoch, struct om_bytes bind, struct om_bytes dgram);

#endif
