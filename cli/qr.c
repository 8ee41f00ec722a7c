/* qr.c - from modules to blocks. */
#include "qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    MARGIN = 4,      /* modules of quiet zone, as the standard wants */
    WIDTH_MAX = 177, /* of version 40 */
    BLOCK_BYTES = 3  /* of a half block in UTF-8 */
};

static bool is_light(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width)
        return true;
    return (code->data[y * code->width + x] & 1) == 0;
}

static void print_row(struct om_out *out, const QRcode *code, int y)
{
    char line[(WIDTH_MAX + 2 * MARGIN) * BLOCK_BYTES + 1];
    size_t n = 0;

    for (int x = -MARGIN; x < code->width + MARGIN; x++) {
        bool upper = is_light(code, x, y), lower = is_light(code, x, y + 1);
        const char *block = upper ? (lower ? "\u2588" : "\u2580") : (lower ? "\u2584" : " ");
        size_t bytes = strlen(block);
        memcpy(line + n, block, bytes);
        n += bytes;
    }
    line[n] = '\0';
    om_out_line(out, "%s%s%s", out->colors ? "\033[97;40m" : "", line,
                out->colors ? "\033[0m" : "");
}

/* How many columns the terminal has that @out prints on; 0: it is none, or does not say. */
static unsigned columns(const struct om_out *out)
{
    struct winsize size = {0};
    int fd = fileno(out->to);

    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

enum om_err om_qr_print(struct om_out *out, const char *text, struct om_error *err)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    unsigned has = columns(out);

    if (!code)
        return om_fail(err, errno == ENOMEM ? OM_E_NO_MEM : OM_E_RANGE,
                       "no QR code can be made of the link");
    unsigned wants = (unsigned)code->width + 2 * MARGIN;
    if (has > 0 && has < wants) {
        QRcode_free(code);
        return om_fail(err, OM_E_STATE,
                       "the QR code is %u columns wide and this terminal %u: widen it, or take "
                       "smaller letters",
                       wants, has);
    }
    for (int y = -MARGIN; y < code->width + MARGIN; y += 2)
        print_row(out, code, y);
    QRcode_free(code);
    return OM_OK;
}
