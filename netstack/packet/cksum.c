/* cksum.c - one's complement sums. */
#include "packet/cksum.h"

#include <string.h>

#include <omerta/wire.h>

enum { WORD = sizeof(uint64_t), WORDS = 2 * WORD };

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

/* As the bytes lie in memory: such a sum does not mind their order (RFC 1071, section 2(B)). */
static uint64_t add_word(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

/* The next @n bytes, zeroes after them. */
static uint64_t take_word(struct om_rd *r, size_t n)
{
    uint64_t word = 0;

    om_rd_copy(r, &word, n);
    return word;
}

uint32_t om_cksum_add(uint32_t sum, struct om_bytes b)
{
    struct om_rd r = om_rd(b);
    uint64_t even = 0, odd = 0; /* two, as a processor adds two at once */
    uint8_t bytes[2];

    while (om_rd_left(&r) >= WORDS) {
        even = add_word(even, take_word(&r, WORD));
        odd = add_word(odd, take_word(&r, WORD));
    }
    if (om_rd_left(&r) >= WORD)
        even = add_word(even, take_word(&r, WORD));
    if (om_rd_left(&r) > 0)
        odd = add_word(odd, take_word(&r, om_rd_left(&r)));
    uint16_t all = (uint16_t)fold((uint64_t)fold(even) + fold(odd));
    memcpy(bytes, &all, sizeof bytes);
    return fold((uint64_t)sum + ((uint32_t)bytes[0] << 8 | bytes[1]));
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
