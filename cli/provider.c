/* provider.c - the option --provider. */
#include "provider.h"

#include <string.h>

#include <omerta/addr.h>

#include "peer.h"

/* An address is for the daemon to read, which knows who is there. */
static bool is_address(const char *text)
{
    uint8_t ip[16];

    return strpbrk(text, "@:") || om_addr_ip_parse(ip, text);
}

enum om_exit om_provider_add(struct om_cli *cli, struct om_ask *ask, json_t *params)
{
    const char *provider = om_args_value(&cli->args, "provider");
    char id[OM_ID_TEXT];

    if (!provider || strcmp(provider, "self") == 0)
        return OM_EXIT_OK;
    if (is_address(provider)) {
        json_object_set_new(params, "peer", json_string(provider));
        return OM_EXIT_OK;
    }
    enum om_exit e = om_peer_find(cli, ask, provider, id);
    if (!e)
        json_object_set_new(params, "peer", json_string(id));
    return e;
}
