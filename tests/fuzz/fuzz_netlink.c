/*
 * fuzz_netlink.c - a dump of the kernel: any messages
 *
 * The input is cut into messages as libmnl cuts a buffer; each comes in a block of its own.
 */
#include <libmnl/libmnl.h>

#include "fuzz.h"
#include "host/netlink_parse.h"

static void parse(const struct nlmsghdr *m)
{
    struct net_route routes[NETLINK_HOPS_MAX];
    struct om_iface link;
    struct net_addr addr;

    if (netlink_parse_link(&link, m)) {
        FUZZ_MUST(link.index > 0);
        FUZZ_MUST(memchr(link.name, '\0', sizeof link.name));
    }
    if (netlink_parse_addr(&addr, m))
        FUZZ_MUST(addr.prefix <= 128);
    FUZZ_MUST(netlink_parse_default(routes, m) <= NETLINK_HOPS_MAX);
    (void)netlink_parse_matters(m);
}

/* The @n bytes of @h, of which the header says how many there are. */
static void one(const struct nlmsghdr *h, size_t n)
{
    struct nlmsghdr head;

    FUZZ_MUST(n >= sizeof head);
    uint8_t *copy = fuzz_copy((const uint8_t *)h, n);
    memcpy(&head, copy, sizeof head);
    head.nlmsg_len += FUZZ_SLACK;
    memcpy(copy, &head, sizeof head);
    parse((const struct nlmsghdr *)(const void *)copy);
    free(copy);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)copy;
    int left = (int)size;

    /* libmnl takes a length over INT_MAX for a negative one; the kernel never says such. */
    while (left >= (int)sizeof *h && mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (size_t)left) {
        size_t n = h->nlmsg_len;
        one(h, n);
        if (((n + 3) & ~(size_t)3) > (size_t)left)
            break;
        h = mnl_nlmsg_next(h, &left);
    }
    free(copy);
    return 0;
}
