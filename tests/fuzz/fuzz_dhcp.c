/* fuzz_dhcp.c - messages of a client, each behind a byte of its length and one of seconds. */
#include "dhcp/server.h"
#include "fuzz.h"

static void one_message(struct om_dhcp_server *s, om_time now, struct om_bytes in)
{
    uint8_t out[OM_DHCP_REPLY_MAX];
    uint8_t *copy = fuzz_copy(in.p, in.n);
    struct om_addr to = {0};
    size_t n = om_dhcp_input(s, now, om_bytes(copy, in.n), om_mut(out, sizeof out), &to);

    FUZZ_MUST(n == 0 || (n >= OM_DHCP_LEAST && out[0] == 2 && to.port == OM_DHCP_CLIENT_PORT));
    FUZZ_MUST(n == 0 || memcmp(out + 28, s->config.mac, OM_MAC) == 0);
    free(copy);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    const struct om_dhcp_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                          .addr = 0x0a000002,
                                          .server = 0x0a000001,
                                          .router = 0x0a000001,
                                          .prefix_bits = 24,
                                          .lease_s = 3600};
    struct om_dhcp_server s;
    struct om_rd r = om_rd(om_bytes(data, size));
    om_time now = 0;

    FUZZ_MUST(om_dhcp_init(&s, &config) == OM_OK);
    while (om_rd_left(&r) >= 2) {
        size_t n = 2U * om_rd_u8(&r);

        now += OM_SEC(60) * om_rd_u8(&r);
        one_message(&s, now, om_rd_bytes(&r, om_rd_left(&r) < n ? om_rd_left(&r) : n));
    }
    return 0;
}
