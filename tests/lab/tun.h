/*
 * tun.h - a TUN device for the harnesses of this folder
 *
 * What:  open or make one, with checksums and segmentation left to us when wanted.
 * Why:   two harnesses need it, one in front of a stack of its own, one in front of the daemon.
 */
#ifndef OM_LAB_TUN_H
#define OM_LAB_TUN_H

#include <stdbool.h>

/** tun_open() - TUN device @name, made if there is none, without headers but virtio's if
 *  @has_offload. Return: its descriptor, which does not block; -1 with errno. */
int tun_open(const char *name, bool has_offload);

#endif
