/* links.c - methods about links. */
#include "control/methods.h"
#include "control/parts.h"
#include "links/links.h"

json_t *control_links_list(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "links", links_list(ask->d->links));
}
