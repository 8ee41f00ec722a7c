/*
 * tun.h - a TUN device for the harnesses of this folder
 *
 * What:  open or make one, or a TAP.
 * Why:   two harnesses need it, one in front of a stack of its own, one in front of the daemon.
 */
#ifndef OM_LAB_TUN_H
#define OM_LAB_TUN_H

enum tun_kind {
    TUN_IP,         /* raw IP */
    TUN_IP_OFFLOAD, /* the same behind virtio's headers, without checksums, 64 KiB at once */
    TUN_ETHER       /* frames: a TAP */
};

/** tun_open() - the device @name of @kind, made if there is none. Return: its descriptor, which
 *  does not block; -1 with errno. */
int tun_open(const char *name, enum tun_kind kind);

#endif
