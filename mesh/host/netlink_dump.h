/*
 * netlink_dump.h - ask the kernel for all interfaces, addresses and default routes
 *
 * What:  four questions on a socket of their own, answered at once.
 * Why:   answers and news on one socket would have to be told apart; and closing the socket ends
 *        an answer that is too long.
 * Keeps: netwatch_sees_what_is_there.
 * Full:  of one answer NET_DUMP_MESSAGES_MAX messages are read; the rest is not looked at.
 *
 * Source: rtnetlink(7); netlink(7) (NLM_F_DUMP_INTR).
 */
#ifndef OM_HOST_NETLINK_DUMP_H
#define OM_HOST_NETLINK_DUMP_H

#include "net_view.h"

enum { NET_DUMP_MESSAGES_MAX = 65536, NET_DUMP_BYTES = 32768 };

/**
 * netlink_dump() - fill a snapshot
 * @out:     emptied first
 * @buffer:  to read into, NET_DUMP_BYTES, aligned for struct nlmsghdr
 *
 * Return: 0, or an errno; EINTR when things changed while they were told, too often.
 */
OM_MUST int netlink_dump(struct net_view *out, void *buffer);

#endif
