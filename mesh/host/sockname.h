/*
 * sockname.h - our addresses as the kernel's, and back
 *
 * What:  struct om_addr to sockaddr_in or sockaddr_in6.
 * Why:   the two families differ in the kernel and nowhere else.
 */
#ifndef OM_HOST_SOCKNAME_H
#define OM_HOST_SOCKNAME_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <omerta/addr.h>

union om_sockname {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/** om_sockname_of() - @a into @out as a socket of family @is_v6 wants it; its length. */
socklen_t om_sockname_of(union om_sockname *out, const struct om_addr *a, bool is_v6);

/** om_sockname_addr() - the address that the kernel names by @n. */
struct om_addr om_sockname_addr(const union om_sockname *n);

#endif
