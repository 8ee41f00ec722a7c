/*
 * fuzz_script.c - scenario texts: any bytes
 *
 * A text is read or refused with one sentence that names its line. What is read is not run: a
 * scenario may ask for a million datagrams.
 */
#include "fuzz.h"
#include "script.h"

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    struct om_error err = {.msg = ""};
    struct sim_script *s;

    if (sim_script_parse(&s, "x.scn", om_bytes(copy, size), &err) == OM_OK)
        sim_script_free(s);
    else
        FUZZ_MUST(strncmp(err.msg, "x.scn:", 6) == 0);
    free(copy);
    return 0;
}
