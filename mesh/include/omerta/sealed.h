/*
 * sealed.h - bytes that may leave this machine
 *
 * What:  the one type a driver can send. It has no public constructor: only envelope.c makes one
 *        (two named makers beside it: handshake and hello).
 * Why:   so the compiler enforces that whatever leaves is encrypted.
 */
#ifndef OMERTA_SEALED_H
#define OMERTA_SEALED_H

#include <omerta/bytes.h>

struct om_sealed;

/**
 * om_sealed_bytes() - what goes into the datagram
 * @s:  a sealed datagram from om_node_next()
 *
 * Return: the bytes, lent until the datagram is given back with om_node_sent().
 */
struct om_bytes om_sealed_bytes(const struct om_sealed *s);

#endif
