/*
 * text.h - the small grammars people and files meet: base32, durations, sizes, numbers, escaping
 *
 * What:  parse and print, each pair inverse to the other; escaping of text that others wrote.
 * Why:   a unit in the text ("250ms", "4MiB") cannot be misread as another one; and a name chosen
 *        by a peer must not move a cursor, forge a log line or turn the reading direction.
 * Keeps: text_base32_meets_the_rfc; text_base32_refuses_all_but_the_canonical_form;
 *        text_durations_round_trip; text_refuses_bad_durations; text_sizes_round_trip;
 *        text_refuses_bad_sizes; text_escape_leaves_nothing_active; text_escape_is_bounded;
 *        text_numbers_stay_in_range.
 *
 * Source: RFC 4648 section 6 (base32), here lower case and without padding; RFC 3629 (UTF-8);
 *         Unicode Standard Annex 9 (bidirectional controls), IEC 80000-13 (KiB, MiB).
 */
#ifndef OMERTA_TEXT_H
#define OMERTA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/time.h>

/* Characters of @n bytes in base32, without the terminator. */
#define OM_BASE32_LEN(n) (((n)*8 + 4) / 5)

/* Bytes that escape @n bytes in any case, with the terminator. */
#define OM_ESCAPE_LEN(n) ((n)*4 + 1)

enum {
    OM_DURATION_TEXT = 32, /* "-106751991d4h54.775807s" and its like, with the terminator */
    OM_SIZE_TEXT = 24,     /* 20 digits, or fewer and a unit */
    OM_SHOW_TEXT = 72      /* what an error sentence quotes of a text */
};

/**
 * om_base32_encode() - lower-case base32 without padding
 * @out:  OM_BASE32_LEN(in.n) + 1 bytes, terminated
 * @in:   may be secret: no branch and no table lookup depends on it
 */
void om_base32_encode(char *out, struct om_bytes in);

/**
 * om_base32_decode() - the one text that om_base32_encode() makes of these bytes, and no other
 * @out:   filled exactly; untouched on failure
 * @text:  terminated; OM_BASE32_LEN(out.n) characters a-z 2-7, spare bits of the last one zero
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_base32_decode(struct om_mut out, const char *text);

/**
 * om_duration_parse() - "250ms", "1.5s", "2m30s", "24h", "7d", "10us"
 * @out:   microseconds, from 0 to below OM_NEVER; untouched on failure
 * @text:  terminated; units d h m s ms us, largest first, each at most once, a fraction of up to
 *         6 digits only in the last one; a number without a unit is refused, so is what is no
 *         whole count of microseconds
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, or OM_E_RANGE when it does not fit.
 */
OM_MUST enum om_err om_duration_parse(om_time *out, const char *text, struct om_error *err);

/**
 * om_duration_print() - exact text that om_duration_parse() reads back
 * @d:    microseconds; a negative one gets a minus sign and OM_NEVER is "never", which are for
 *        reading only
 * @out:  terminated; OM_DURATION_TEXT bytes are always enough
 * @n:    bytes of @out, at least 1; text that does not fit is cut
 *
 * Return: @out.
 */
char *om_duration_print(om_time d, char *out, size_t n);

/**
 * om_size_parse() - "1500", "64k", "4MiB", "2GB"
 * @out:   bytes; untouched on failure
 * @text:  terminated; a whole number and B, k K KiB M MiB G GiB T TiB P PiB E EiB (1024 to the
 *         1st ... 6th) or kB KB MB GB TB PB EB (1000 to the 1st ... 6th) or no unit
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, or OM_E_RANGE when it does not fit 64 bits.
 */
OM_MUST enum om_err om_size_parse(uint64_t *out, const char *text, struct om_error *err);

/**
 * om_size_print() - exact text that om_size_parse() reads back, in the largest KiB ... EiB unit
 *                   of which it is a whole number
 * @bytes:  the size
 * @out:    terminated; OM_SIZE_TEXT bytes are always enough
 * @n:      bytes of @out, at least 1; text that does not fit is cut
 *
 * Return: @out.
 */
char *om_size_print(uint64_t bytes, char *out, size_t n);

/**
 * om_u64_parse() - a decimal number and nothing else: no sign, no space, no unit
 * @out:   untouched on failure
 * @text:  terminated
 * @max:   the greatest value allowed
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, or OM_E_RANGE above @max.
 */
OM_MUST enum om_err om_u64_parse(uint64_t *out, const char *text, uint64_t max,
                                 struct om_error *err);

/**
 * om_text_escape() - make text of peers and guests safe to show on terminals and in logs
 * @out:  terminated when @n > 0; OM_ESCAPE_LEN(in.n) bytes are always enough
 * @n:    bytes of @out; text that does not fit is cut between characters
 * @in:   any bytes. Visible UTF-8 and the ASCII space stay; each byte of anything else (controls,
 *        invisible and direction-changing characters, other spaces, private use, invalid UTF-8,
 *        double quote, backslash) becomes \xNN
 *
 * Return: bytes written, without the terminator; so always less than @n, or 0.
 */
size_t om_text_escape(char *out, size_t n, struct om_bytes in);

/**
 * om_text_escape_take() - as om_text_escape(), and tell what did not fit
 * @out:  as there
 * @n:    as there
 * @in:   moved past what was escaped; empty afterwards unless @out was too small
 *
 * Return: bytes written, without the terminator.
 */
size_t om_text_escape_take(char *out, size_t n, struct om_bytes *in);

/**
 * om_text_show() - the start of @text, escaped, to be quoted in an error sentence
 * @out:   OM_SHOW_TEXT bytes, terminated; ends in "..." when the text was longer
 * @text:  terminated
 *
 * Return: @out.
 */
char *om_text_show(char out[static OM_SHOW_TEXT], const char *text);

/** om_text_is_utf8() - @in is valid UTF-8 from start to end (RFC 3629: no surrogates, shortest
 * form). */
bool om_text_is_utf8(struct om_bytes in);

#endif
