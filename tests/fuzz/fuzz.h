/*
 * fuzz.h - what every fuzz target has
 *
 * What:  a target is fuzz_one(); built with libFuzzer it is searched, otherwise replay.c runs it
 *        over the corpus in the tree, so that what was found once is tested in every build.
 */
#ifndef OM_TESTS_FUZZ_H
#define OM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

/**
 * fuzz_one() - the target
 * @data:  any bytes
 * @size:  how many
 *
 * Return: 0. What it keeps must not make the next input behave otherwise.
 */
int fuzz_one(const uint8_t *data, size_t size);

/* The input in a block of exactly its size, so that a read past its end is seen. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    return copy;
}

/* How far past its end a target lets code without a cursor read: that is its planted bug. */
enum { FUZZ_SLACK = OM_RD_SLACK };

/* The input as a text in a block of exactly its size; with the bug planted its end is missing. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    bool has_end = FUZZ_SLACK == 0 || size == 0;
    char *text = malloc(size + has_end);

    if (!text)
        abort();
    if (size)
        memcpy(text, data, size);
    if (has_end)
        text[size] = '\0';
    return text;
}

/* The same bytes, padding and all: nothing was written. */
static inline bool fuzz_same(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n) == 0;
}

#define FUZZ_MUST(cond)                                                                            \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
