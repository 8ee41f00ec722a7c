/* gate_policy.c - from a level to an answer. */
#include <string.h>

#include "service/gate.h"

static const char *const names[GATE_POLICY_COUNT] = {
#define X(code, name) name,
    GATE_POLICIES(X)
#undef X
};

const char *gate_policy_name(enum gate_policy p)
{
    return (unsigned)p < GATE_POLICY_COUNT ? names[p] : "unknown";
}

bool gate_policy_read(enum gate_policy *out, const char *name)
{
    for (unsigned i = 0; i < GATE_POLICY_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum gate_policy)i;
            return true;
        }
    }
    return false;
}

enum gate_policy gate_policy_does(enum gate_policy p, enum om_rogue_level level)
{
    bool is_first = level == OM_ROGUE_WARN;

    return is_first && p > GATE_WARN ? GATE_WARN : p;
}
