/*
 * json_hook.h - let jansson allocate through the test program's allocator
 *
 * What:  include it in a test and jansson's allocations are counted, made to fail and searched for
 *        leaks like ours.
 * Why:   the linker wraps only what is linked from our objects; a library has to be asked.
 */
#ifndef OM_TESTS_JSON_HOOK_H
#define OM_TESTS_JSON_HOOK_H

#include <stdlib.h>

#include <jansson.h>

/* Names of ours, since a pointer to malloc() itself is not for the linker to wrap everywhere. */
static inline void *json_hook_malloc(size_t n)
{
    return malloc(n);
}

static inline void json_hook_free(void *p)
{
    free(p);
}

/** json_hook() - before main(): whatever jansson holds by then it could not free afterwards. */
__attribute__((constructor)) static void json_hook(void)
{
    json_set_alloc_funcs(json_hook_malloc, json_hook_free);
    json_object_seed(1); /* no two runs may allocate differently */
}

/** json_hook_real() - as malloc(): it is that, under the name that --wrap gives it. */
void *json_hook_real(size_t n) __asm__("__real_malloc");

/* Parses @text with allocations that do not fail: jansson 2.14 asserts, or reads on, where it finds
 * no memory for a text's closing quote. */
static inline json_t *json_hook_loads(const char *text)
{
    json_set_alloc_funcs(json_hook_real, json_hook_free);
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    json_set_alloc_funcs(json_hook_malloc, json_hook_free);
    return o;
}

#endif
