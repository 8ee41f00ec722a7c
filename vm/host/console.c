/* console.c - a ring of bytes, and the little of a terminal that is needed to leave it out. */
#include "console.h"

#include <stdbool.h>
#include <string.h>

void om_vm_console_add(struct om_vm_console *c, const void *p, size_t n)
{
    const char *from = p;

    if (n > OM_VM_CONSOLE_BYTES) {
        c->total += n - OM_VM_CONSOLE_BYTES;
        from += n - OM_VM_CONSOLE_BYTES;
        n = OM_VM_CONSOLE_BYTES;
    }
    while (n > 0) {
        size_t at = (size_t)(c->total % OM_VM_CONSOLE_BYTES);
        size_t part = OM_VM_CONSOLE_BYTES - at < n ? OM_VM_CONSOLE_BYTES - at : n;
        memcpy(c->ring + at, from, part);
        c->total += part;
        from += part;
        n -= part;
    }
}

uint64_t om_vm_console_tail(const struct om_vm_console *c, size_t n)
{
    uint64_t kept = c->total < OM_VM_CONSOLE_BYTES ? c->total : OM_VM_CONSOLE_BYTES;

    return c->total - (n < kept ? n : kept);
}

size_t om_vm_console_read(const struct om_vm_console *c, uint64_t *place, void *out, size_t size,
                          uint64_t *missed)
{
    uint64_t oldest = om_vm_console_tail(c, OM_VM_CONSOLE_BYTES);
    uint64_t from = *place < oldest ? oldest : *place > c->total ? c->total : *place;
    size_t n = c->total - from < size ? (size_t)(c->total - from) : size;
    char *to = out;

    if (missed)
        *missed = *place < oldest ? oldest - *place : 0;
    for (size_t done = 0; done < n;) {
        size_t at = (size_t)((from + done) % OM_VM_CONSOLE_BYTES);
        size_t part = OM_VM_CONSOLE_BYTES - at < n - done ? OM_VM_CONSOLE_BYTES - at : n - done;
        memcpy(to + done, c->ring + at, part);
        done += part;
    }
    *place = from + n;
    return n;
}

/* Length of the escape sequence at @p, 0 when it is none that is known or it is cut. ECMA-35
 * section 13.2: ESC, bytes of columns 2, one of 3 to 7; ECMA-48 section 5.4: ESC [, bytes of
 * columns 2 and 3, one of 4 to 7. */
static size_t sequence(const unsigned char *p, size_t n)
{
    size_t i = 1;
    unsigned char least = 0x30, middle = 0x2f;

    if (n < 2 || p[0] != 0x1b)
        return 0;
    if (p[1] == '[') {
        i = 2;
        least = 0x40;
        middle = 0x3f;
    }
    while (i < n && p[i] >= 0x20 && p[i] <= middle)
        i++;
    return i < n && p[i] >= least && p[i] <= 0x7e ? i + 1 : 0;
}

/* As many bytes as @c is shown with. */
static size_t shown(unsigned char c, char out[4])
{
    static const char digits[] = "0123456789abcdef";

    if ((c >= ' ' && c <= '~') || c == '\n' || c == '\t') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = digits[c >> 4];
    out[3] = digits[c & 15];
    return 4;
}

size_t om_vm_console_show(char *out, size_t size, const void *in, size_t n)
{
    const unsigned char *p = in;
    size_t used = 0;

    for (size_t i = 0; i < n;) {
        size_t skip = sequence(p + i, n - i);
        bool is_line_end = p[i] == '\r' && i + 1 < n && (p[i + 1] == '\n' || p[i + 1] == '\r');
        char text[4];
        if (skip == 0 && is_line_end)
            skip = 1;
        if (skip > 0) {
            i += skip;
            continue;
        }
        size_t part = shown(p[i++], text);
        if (used + part >= size)
            break;
        memcpy(out + used, text, part);
        used += part;
    }
    out[used] = 0;
    return used;
}
