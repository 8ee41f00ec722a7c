/* summary.c - the lines of `omerta status`. */
#include "summary.h"

#include "table.h"

static const char *text(const json_t *object, const char *key, char out[static OM_OUT_TEXT_MAX])
{
    const char *value = json_string_value(json_object_get(object, key));

    return om_out_escape(out, value ? value : "?");
}

static long long number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    return (long long)json_number_value(v);
}

static bool is_set(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void print_network(struct om_out *out, const json_t *net)
{
    char name[OM_OUT_TEXT_MAX], self[OM_OUT_TEXT_MAX];

    om_out_line(out, "network  %s: %lld known, %lld connected", text(net, "name", name),
                number(net, "peers"), number(net, "connected"));
    om_out_line(out, "         this node is %s", text(net, "self", self));
    if (is_set(net, "open"))
        om_out_line(out, "         open: anybody can be in it; nobody may use this machine unless a"
                         " rule names them");
}

void om_summary_print(struct om_out *out, const json_t *status)
{
    const json_t *udp = json_object_get(status, "udp");
    const json_t *traffic = json_object_get(status, "traffic");
    json_t *drops = json_object_get(status, "drops");
    char router[OM_OUT_TEXT_MAX];
    char version[OM_OUT_TEXT_MAX], home[OM_OUT_TEXT_MAX], age[OM_CELL_MAX];
    char in[OM_CELL_MAX], sent[OM_CELL_MAX];
    const json_t *net;
    json_t *value;
    long long dropped = 0;
    const char *key;
    size_t i;

    om_out_line(out, "daemon   omerta-meshd %s, process %lld, up %s",
                text(status, "version", version), number(status, "pid"),
                om_table_cell(age, OM_COLUMN_AGE, json_object_get(status, "uptime_s")));
    om_out_line(out, "home     %s", text(status, "home", home));
    om_out_line(out, "udp      port %lld,%s%s%s", number(udp, "port"),
                is_set(udp, "ipv4") ? " IPv4" : "", is_set(udp, "ipv6") ? " IPv6" : "",
                is_set(udp, "gso") && is_set(udp, "gro") ? ", with offload" : "");
    om_out_line(out, "router   %s", text(json_object_get(status, "portmap"), "text", router));
    json_array_foreach(json_object_get(status, "networks"), i, net) print_network(out, net);
    om_out_line(out, "traffic  %s in, %s out",
                om_table_cell(in, OM_COLUMN_BYTES, json_object_get(traffic, "bytes_in")),
                om_table_cell(sent, OM_COLUMN_BYTES, json_object_get(traffic, "bytes_out")));
    json_object_foreach(drops, key, value) dropped += json_integer_value(value);
    om_out_line(out,
                "dropped  %lld datagrams that were not for us or made no sense"
                " (--json: by reason)",
                dropped);
    if (is_set(json_object_get(status, "audit"), "on"))
        om_out_line(out, "audit    %lld datagrams verified as sealed, %lld refused",
                    number(json_object_get(status, "audit"), "audited"),
                    number(json_object_get(status, "audit"), "refused"));
}
