/* base64.c - three bytes, four characters. */
#include "vm/core/base64.h"

#include <string.h>

enum { PAD = 64 /* the digit behind the last one */, BAD = 255 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

void om_vm_base64_encode(char *out, struct om_bytes in)
{
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i;
        uint32_t v = (uint32_t)in.p[i] << 16;
        v |= left > 1 ? (uint32_t)in.p[i + 1] << 8 : 0;
        v |= left > 2 ? in.p[i + 2] : 0;
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = digits[left > 1 ? v >> 6 & 63 : PAD];
        *out++ = digits[left > 2 ? v & 63 : PAD];
    }
    *out = '\0';
}

static uint8_t value(uint8_t c)
{
    const char *at = c ? memchr(digits, c, PAD + 1) : NULL;

    return at ? (uint8_t)(at - digits) : BAD;
}

bool om_vm_base64_decode(uint8_t *out, size_t *n, struct om_bytes text)
{
    *n = 0;
    if (text.n % 4 != 0)
        return false;
    for (size_t i = 0; i < text.n; i += 4) {
        uint8_t v[4];
        bool is_last = i + 4 == text.n;
        for (unsigned k = 0; k < 4; k++)
            v[k] = value(text.p[i + k]);
        unsigned pads = (v[2] == PAD && v[3] == PAD) ? 2 : v[3] == PAD;
        if (v[0] >= PAD || v[1] >= PAD || (pads && !is_last))
            return false;
        if ((pads < 2 && v[2] >= PAD) || (pads < 1 && v[3] >= PAD))
            return false;
        uint32_t bits = (uint32_t)v[0] << 18 | (uint32_t)v[1] << 12;
        bits |= pads < 2 ? (uint32_t)v[2] << 6 : 0;
        bits |= pads < 1 ? v[3] : 0;
        if (pads && (bits & (pads == 2 ? 0xffff : 0xff)) != 0)
            return false;
        for (unsigned k = 0; k < 3 - pads; k++)
            out[(*n)++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    return true;
}
