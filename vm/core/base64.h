/*
 * base64.h - bytes as one word of text
 *
 * What:  encode, and decode what is exactly such a text.
 * Why:   guests get files and give output through protocols of lines.
 * Keeps: base64_meets_the_rfc; base64_round_trips; base64_refuses_every_other_spelling.
 *
 * Source: RFC 4648 sections 4 and 3.5 (pad bits must be zero).
 */
#ifndef OM_VM_BASE64_H
#define OM_VM_BASE64_H

#include <stdbool.h>

#include <omerta/attr.h>
#include <omerta/bytes.h>

/* Characters of @n bytes, without the terminator. */
#define OM_VM_BASE64_LEN(n) (((n) + 2) / 3 * 4)

/** om_vm_base64_encode() - @in as text into @out, which has OM_VM_BASE64_LEN(in.n) + 1 bytes;
 *  terminated. */
void om_vm_base64_encode(char *out, struct om_bytes in);

/**
 * om_vm_base64_decode() - the bytes of a text
 * @out:   at least 3 bytes for each 4 of @text; may be @text's own memory; undefined on failure
 * @n:     receives how many bytes it is
 * @text:  nothing else, no line breaks
 *
 * Return: false when om_vm_base64_encode() did not make it.
 */
OM_MUST bool om_vm_base64_decode(uint8_t *out, size_t *n, struct om_bytes text);

#endif
