/* verify_yes.c - every signature of gossip holds, so that a search gets behind it. */
#include "peer/record.h"

bool om_record_verify(const struct om_id *network, const struct om_id *id, struct om_bytes in)
{
    (void)network;
    (void)id;
    return in.n >= OM_SIGN_BYTES;
}
