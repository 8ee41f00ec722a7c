/* cksum.c - one's complement sums. */
#include "packet/cksum.h"

#include <omerta/wire.h>

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

uint32_t om_cksum_add(uint32_t sum, struct om_bytes b)
{
    struct om_rd r = om_rd(b);
    uint64_t wide = sum;

    while (om_rd_left(&r) >= 4)
        wide += om_rd_u32(&r); /* 2^16 is 1 in this sum, so words of 32 bits fold to the same */
    if (om_rd_left(&r) >= 2)
        wide += om_rd_u16(&r);
    if (om_rd_left(&r) > 0)
        wide += (uint64_t)om_rd_u8(&r) << 8;
    return fold(wide);
}

uint32_t om_cksum_pseudo(const struct om_addr *src, const struct om_addr *dst, uint8_t proto,
                         uint32_t n)
{
    size_t skip = om_addr_is_v4(src) ? 12 : 0;
    uint32_t sum = om_cksum_add(0, om_bytes(src->ip + skip, sizeof src->ip - skip));

    sum = om_cksum_add(sum, om_bytes(dst->ip + skip, sizeof dst->ip - skip));
    return fold((uint64_t)sum + proto + n);
}

uint16_t om_cksum_end(uint32_t sum)
{
    return (uint16_t)~fold(sum);
}

uint16_t om_cksum_update(uint16_t cksum, uint16_t was, uint16_t is)
{
    return om_cksum_end((uint32_t)(uint16_t)~cksum + (uint16_t)~was + is);
}
