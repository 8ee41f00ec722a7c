/* record_verify.c - the check of what gossip carries; alone, so that it can be linked otherwise. */
#include "peer/record.h"

bool om_record_verify(const struct om_id *network, const struct om_id *id, struct om_bytes in)
{
    if (in.n < OM_SIGN_BYTES)
        return false;
    return om_identity_verify(id, "record", network, om_bytes(in.p, in.n - OM_SIGN_BYTES),
                              in.p + in.n - OM_SIGN_BYTES);
}
