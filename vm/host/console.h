/*
 * console.h - what a guest writes to its serial line, kept for whoever asks
 *
 * What:  the last OM_VM_CONSOLE_BYTES of it in a ring; readers with places of their own; a copy
 *        that is safe to show to people.
 * Why:   a guest that does not boot says why there, and what it says is a stranger's text: it must
 *        not steer a terminal.
 * Keeps: console_keeps_the_last; console_reader_learns_what_it_missed; console_shows_no_control;
 *        console_model_agrees_with_a_plain_string.
 *
 * Full: the oldest bytes go. A reader that was too slow is told how many it missed.
 */
#ifndef OM_VM_HOST_CONSOLE_H
#define OM_VM_HOST_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include <omerta/attr.h>

enum { OM_VM_CONSOLE_BYTES = 64 * 1024 };

/* Read freely; write only through om_vm_console_*(). Zeroed, it is empty. */
struct om_vm_console {
    uint64_t total; /* bytes that ever came */
    char ring[OM_VM_CONSOLE_BYTES];
};

/** om_vm_console_add() - the guest wrote @n bytes at @p, which @c keeps a copy of. */
void om_vm_console_add(struct om_vm_console *c, const void *p, size_t n);

/**
 * om_vm_console_read() - go on reading
 * @c:       the console
 * @place:   of the reader, in bytes that ever came; moved on
 * @out:     room for @size
 * @size:    bytes at @out
 * @missed:  bytes between the place and the oldest that is kept; may be NULL
 *
 * Return: bytes put into @out, 0 when there is nothing new.
 */
size_t om_vm_console_read(const struct om_vm_console *c, uint64_t *place, void *out, size_t size,
                          uint64_t *missed);

/** om_vm_console_tail() - the place of a reader of @c that wants at most the last @n bytes. */
uint64_t om_vm_console_tail(const struct om_vm_console *c, size_t n);

/**
 * om_vm_console_show() - make console text safe for a terminal
 * @out:   terminated; 4 * @n + 1 bytes are always enough
 * @size:  bytes at @out, at least 1
 * @in:    as the guest wrote it
 * @n:     bytes of it
 *
 * Newlines and tabs stay, carriage returns before a newline go, escape sequences for colour and
 * cursor go as a whole, everything else that is not printable ASCII becomes \xHH.
 *
 * Return: bytes of @out, without the zero.
 */
size_t om_vm_console_show(char *out, size_t size, const void *in, size_t n);

#endif
