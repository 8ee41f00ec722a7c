/* alloc_hook.c - the wrapped allocators, and the table of live blocks. */
#include "alloc_hook.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

struct block {
    void *p; /* NULL marks a free slot */
    unsigned long number;
};

static struct block blocks[OM_HOOK_SLOTS];
static size_t alive;
static bool started, too_many;
static unsigned long count, failing, spilt;
static const void *watched;
static size_t watched_bytes;

void om_hook_start(unsigned long fail_at)
{
    failing = fail_at;
    started = true;
}

unsigned long om_hook_count(void)
{
    return count;
}

bool om_hook_hit(void)
{
    return failing != 0 && count >= failing;
}

unsigned long om_hook_leak(void)
{
    unsigned long oldest = 0;

    for (size_t i = 0; alive > 0 && i < OM_HOOK_SLOTS; i++)
        if (blocks[i].p && (oldest == 0 || blocks[i].number < oldest))
            oldest = blocks[i].number;
    return too_many ? 0 : oldest;
}

void om_hook_watch(const void *bytes, size_t n)
{
    watched = bytes;
    watched_bytes = n;
}

unsigned long om_hook_spilt(void)
{
    return spilt;
}

/* All of a block is looked at: what malloc() rounds up may have been somebody's before. */
static void look_into(void *p)
{
    if (watched && p && memmem(p, malloc_usable_size(p), watched, watched_bytes))
        spilt++;
}

static size_t home(const void *p)
{
    return (size_t)((uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u >> 48) % OM_HOOK_SLOTS;
}

static size_t after(size_t i)
{
    return (i + 1) % OM_HOOK_SLOTS;
}

/* The slot of @p, or the free slot where it would go. */
static size_t seek(const void *p)
{
    size_t i = home(p);

    while (blocks[i].p && blocks[i].p != p)
        i = after(i);
    return i;
}

static void *remember(void *p)
{
    if (!started || !p)
        return p;
    if (alive >= OM_HOOK_SLOTS / 2) {
        too_many = true;
        return p;
    }
    blocks[seek(p)] = (struct block){p, count};
    alive++;
    return p;
}

static void forget(const void *p)
{
    if (!started || !p)
        return;
    size_t hole = seek(p);
    if (!blocks[hole].p)
        return; /* not ours, or from before the start */
    alive--;
    /* Close the hole: whatever cannot be reached across it moves into it. */
    for (size_t i = after(hole); blocks[i].p; i = after(i)) {
        size_t from_home = (i - home(blocks[i].p)) % OM_HOOK_SLOTS;
        if (from_home >= (i - hole) % OM_HOOK_SLOTS) {
            blocks[hole] = blocks[i];
            hole = i;
        }
    }
    blocks[hole].p = NULL;
}

static bool must_fail(void)
{
    if (!started || ++count != failing)
        return false;
    errno = ENOMEM;
    return true;
}

/* The linker asks for these names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **out, size_t align, size_t n);
void __real_free(void *p);
void *__real_sodium_malloc(size_t n);
void __real_sodium_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t n);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **out, size_t align, size_t n);
void __wrap_free(void *p);
void *__wrap_sodium_malloc(size_t n);
void __wrap_sodium_free(void *p);

void *__wrap_malloc(size_t n)
{
    return must_fail() ? NULL : remember(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : remember(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t n)
{
    if (must_fail())
        return NULL;
    look_into(old);
    void *p = __real_realloc(old, n);
    if (p || n == 0)
        forget(old);
    return remember(p);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return __wrap_realloc(old, n * size);
}

char *__wrap_strndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = __wrap_malloc(len + 1);

    if (!copy)
        return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *__wrap_strdup(const char *s)
{
    return __wrap_strndup(s, strlen(s));
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return must_fail() ? NULL : remember(__real_aligned_alloc(align, n));
}

int __wrap_posix_memalign(void **out, size_t align, size_t n)
{
    if (must_fail())
        return ENOMEM;
    int e = __real_posix_memalign(out, align, n);
    if (e == 0)
        remember(*out);
    return e;
}

void __wrap_free(void *p)
{
    forget(p);
    look_into(p);
    __real_free(p);
}

void *__wrap_sodium_malloc(size_t n)
{
    return must_fail() ? NULL : remember(__real_sodium_malloc(n));
}

void __wrap_sodium_free(void *p)
{
    forget(p);
    __real_sodium_free(p);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */
