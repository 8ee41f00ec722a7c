/* bad.c - the words of the reasons. */
#include "packet/bad.h"

static const char *const words[OM_BAD_COUNT][2] = {
#define X(code, name, help) {name, help},
    OM_BADS(X)
#undef X
};

const char *om_bad_name(enum om_bad b)
{
    return (unsigned)b < OM_BAD_COUNT ? words[b][0] : "unknown";
}

const char *om_bad_text(enum om_bad b)
{
    return (unsigned)b < OM_BAD_COUNT ? words[b][1] : "unknown";
}
