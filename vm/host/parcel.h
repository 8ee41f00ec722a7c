/*
 * parcel.h - one message and its descriptors over a socket pair
 *
 * What:  sends and receives packets of SOCK_SEQPACKET with up to OM_VM_ORDER_FDS descriptors.
 * Why:   both ends need it, and a descriptor that arrived must be closed on every way out.
 * Keeps: spawner_hands_over_descriptors.
 *
 * Source: unix(7) SCM_RIGHTS, cmsg(3).
 */
#ifndef OM_VM_HOST_PARCEL_H
#define OM_VM_HOST_PARCEL_H

#include <stddef.h>
#include <sys/types.h>

#include <omerta/attr.h>

#include "order.h"

/**
 * om_vm_parcel_send() - send one, waiting until there is room
 * @socket:  non-blocking
 * @bytes:   of the message
 * @n:       how many
 * @fds:     descriptors, which stay the caller's
 * @count:   of them, at most OM_VM_ORDER_FDS
 *
 * Return: true; false when the other end is gone or takes nothing for a while.
 */
OM_MUST bool om_vm_parcel_send(int socket, const char *bytes, size_t n, const int *fds,
                               unsigned count);

/**
 * om_vm_parcel_receive() - take one that is there
 * @socket:  non-blocking
 * @bytes:   OM_VM_ORDER_MAX of them
 * @fds:     OM_VM_ORDER_FDS of them; -1 where there is none; the caller closes them
 *
 * Return: bytes of it; 0 when the other end is gone; -1 when there is none; a message that was cut
 * is passed over.
 */
ssize_t om_vm_parcel_receive(int socket, char *bytes, int *fds);

/** om_vm_parcel_wait() - wait up to @ms for something to come at @socket; false when not. */
bool om_vm_parcel_wait(int socket, int ms);

/** om_vm_parcel_drop() - close the OM_VM_ORDER_FDS descriptors at @fds that are not -1. */
void om_vm_parcel_drop(int *fds);

#endif
