/*
 * test_overlay.c - overlay addresses against figures that another implementation computed
 *
 * With python3's hashlib, key k and network n:
 *     b"\xfd" + n[:5] + b"\0\0" + blake2b(b"omerta1 v6\0", key=k, digest_size=32).digest()[:8]
 */
#include "harness.h"

#include <omerta/overlay.h>

static struct om_id counting(uint8_t from)
{
    struct om_id id;

    for (unsigned i = 0; i < OM_ID_BYTES; i++)
        id.b[i] = (uint8_t)(from + i);
    return id;
}

OM_TEST(overlay_v6_matches_independent_figures)
{
    const struct om_id network = counting(0xa0), node = counting(0);
    char text[OM_IP_TEXT];
    struct om_addr a;

    om_overlay_v6(&a, &network, &node);
    CHECK_STR(om_addr_ip_print(a.ip, text), "fda0:a1a2:a3a4:0:1023:cc15:41e2:19f9");
    CHECK_EQ(a.port, 0);
}

OM_TEST(overlay_v6_differs_by_key_and_network)
{
    const struct om_id network = counting(0xa0), other = counting(0xa1);
    struct om_addr a, b;

    om_overlay_v6(&a, &network, &network);
    om_overlay_v6(&b, &network, &other);
    CHECK_MEM(a.ip, b.ip, 8);
    CHECK_MEM_DIFF(a.ip + 8, b.ip + 8, 8);
    om_overlay_v6(&b, &other, &network);
    CHECK_MEM(a.ip + 8, b.ip + 8, 8);
    CHECK_MEM_DIFF(a.ip, b.ip, 8);
}
