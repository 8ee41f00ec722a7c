/* table.c - which handler answers which method. */
#include <string.h>

#include "control/methods.h"
#include "control/parts.h"

static const struct {
    const char *name;
    control_method answer;
} table[] = {
    {"approvals.allow", control_approvals_allow},
    {"approvals.deny", control_approvals_deny},
    {"approvals.list", control_approvals_list},
    {"cloister.accept", control_cloister_accept},
    {"cloister.ask", control_cloister_ask},
    {"cloister.deny", control_cloister_deny},
    {"cloister.list", control_cloister_list},
    {"config.reload", control_config_reload},
    {"config.show", control_config_show},
    {"doctor.daemon", control_doctor},
    {"events.subscribe", control_subscribe},
    {"events.unsubscribe", control_unsubscribe},
    {"expose.add", control_expose_add},
    {"expose.list", control_expose_list},
    {"expose.remove", control_expose_remove},
    {"expose.usage", control_expose_usage},
    {"filter.add", control_filter_add},
    {"filter.default", control_filter_default},
    {"filter.list", control_filter_list},
    {"filter.remove", control_filter_remove},
    {"filter.reputation", control_filter_reputation},
    {"filter.test", control_filter_test},
    {"forward.add", control_forward_add},
    {"forward.list", control_forward_list},
    {"forward.remove", control_forward_remove},
    {"health.probe", control_health_probe},
    {"links.list", control_links_list},
    {"log.level", control_log_level},
    {"log.tail", control_log_tail},
    {"message.list", control_message_list},
    {"message.read", control_message_read},
    {"message.send", control_message_send},
    {"methods.list", control_methods},
    {"metrics.show", control_metrics},
    {"netcheck", control_netcheck},
    {"networks.block", control_networks_block},
    {"networks.blocked", control_networks_blocked},
    {"networks.create", control_networks_create},
    {"networks.direct", control_networks_direct},
    {"networks.invite", control_networks_invite},
    {"networks.join", control_networks_join},
    {"networks.leave", control_networks_leave},
    {"networks.list", control_networks_list},
    {"networks.members", control_networks_members},
    {"networks.rename", control_networks_rename},
    {"networks.revoke", control_networks_revoke},
    {"networks.show", control_networks_show},
    {"networks.void", control_networks_void},
    {"peer.status", control_peer_status},
    {"peers.add", control_peers_add},
    {"peers.list", control_peers_list},
    {"peers.why", control_why},
    {"ping.start", control_ping_start},
    {"provide.set", control_provide_set},
    {"provide.show", control_provide_show},
    {"providers.list", control_providers_list},
    {"status", control_status_get},
    {"stop", control_stop},
    {"version", control_version},
    {"vm.console", control_vm_console},
    {"vm.extend", control_vm_extend},
    {"vm.list", control_vm_list},
    {"vm.release", control_vm_release},
    {"vm.request", control_vm_request},
    {"vm.resume", control_vm_resume},
    {"vm.traffic", control_vm_traffic},
};

control_method control_method_find(const char *name)
{
    for (unsigned i = 0; i < OM_ARRAY_SIZE(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].answer;
    return NULL;
}
