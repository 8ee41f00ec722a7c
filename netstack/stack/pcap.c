/* pcap.c - see <omerta/pcap.h> */
#include <omerta/pcap.h>

#include <omerta/wire.h>

enum { VERSION_MAJOR = 2, VERSION_MINOR = 4, SECOND_US = 1000 * 1000 };
static const uint32_t magic = 0xa1b2c3d4; /* times in microseconds */

/*      0               1               2               3
 *     +---------------------------------------------------------------+
 *   0 |                             magic                             |
 *     +-------------------------------+-------------------------------+
 *   4 |         major version         |         minor version         |
 *     +-------------------------------+-------------------------------+
 *   8 |                       reserved (8 bytes)                      |
 *     +---------------------------------------------------------------+
 *  16 |                     most bytes of a packet                    |
 *     +---------------------------------------------------------------+
 *  20 |                           link type                           |   */
size_t om_pcap_head(struct om_mut out, enum om_pcap_link link)
{
    struct om_wr w = om_wr(out);

    om_wr_u32(&w, magic);
    om_wr_u16(&w, VERSION_MAJOR);
    om_wr_u16(&w, VERSION_MINOR);
    om_wr_u64(&w, 0);
    om_wr_u32(&w, OM_PCAP_SNAP);
    om_wr_u32(&w, link);
    return om_wr_len(&w);
}

/* Seconds, microseconds, bytes here, bytes on the link: 4 each; then the bytes. */
size_t om_pcap_packet(struct om_mut out, uint64_t unix_us, struct om_bytes packet)
{
    struct om_wr w = om_wr(out);

    if (packet.n > OM_PCAP_SNAP)
        return 0;
    om_wr_u32(&w, (uint32_t)(unix_us / SECOND_US));
    om_wr_u32(&w, (uint32_t)(unix_us % SECOND_US));
    om_wr_u32(&w, (uint32_t)packet.n);
    om_wr_u32(&w, (uint32_t)packet.n);
    om_wr_bytes(&w, packet);
    return om_wr_len(&w);
}
