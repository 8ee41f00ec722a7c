/*
 * fds.h - are there descriptors left?
 *
 * What:  says whether a descriptor that was just got leaves a reserve of others.
 * Why:   what strangers can make this process open must never take the last descriptor: the owner
 *        then reaches his own daemon no more, and no file is saved.
 * Keeps: udp_sockets_without_descriptors; dial_leaves_descriptors.
 *
 * Source: getrlimit(2) RLIMIT_NOFILE; POSIX open(): the lowest descriptor that is free.
 */
#ifndef OM_HOST_FDS_H
#define OM_HOST_FDS_H

#include <stdbool.h>

enum { OM_FDS_RESERVE = 64 }; /* for control connections, files, and programs that are started */

/** om_fds_leave() - @fd was just got: are there at least @reserve above it? */
bool om_fds_leave(int fd, unsigned reserve);

#endif
