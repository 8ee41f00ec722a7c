/* socks_udp.c - the address codec of SOCKS5, after three bytes that are always zero. */
#include <omerta/socks_udp.h>

#include "socks5.h"

bool om_socks_udp_decode(struct om_socks_udp *u, struct om_target *to, struct om_bytes *payload,
                         struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    uint16_t rsv = om_rd_u16(&r);
    uint8_t fragment = om_rd_u8(&r);
    struct om_target t;

    if (!r.bad && rsv == 0 && fragment != 0) {
        u->fragments++;
        return false;
    }
    if (rsv != 0 || !om_socks5_read_target(&r, &t) || t.addr.port == 0) {
        u->malformed++;
        return false;
    }
    *to = t;
    *payload = om_rd_rest(&r);
    return true;
}

size_t om_socks_udp_encode(struct om_mut out, const struct om_target *from)
{
    struct om_wr w = om_wr(out);

    om_wr_u16(&w, 0);
    om_wr_u8(&w, 0);
    om_socks5_write_target(&w, from);
    return om_wr_len(&w);
}
