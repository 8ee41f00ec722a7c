/*
 * methods.h - who answers which method
 *
 * What:  the handlers, one for each line of ipc/methods.c.
 * Why:   the table of methods is shared with the command line, which has no handlers.
 * Keeps: control_every_method_has_a_handler.
 */
#ifndef OM_CONTROL_METHODS_H
#define OM_CONTROL_METHODS_H

#include "control/control.h"

/** control_status_get() - "status": @ask, @err as any control_method. */
json_t *control_status_get(struct control_ask *ask, struct om_error *err);
/** control_networks_list() - "networks.list": @ask, @err as any control_method. */
json_t *control_networks_list(struct control_ask *ask, struct om_error *err);
/** control_version() - "version": @ask, @err as any control_method. */
json_t *control_version(struct control_ask *ask, struct om_error *err);
/** control_methods() - "methods.list": @ask, @err as any control_method. */
json_t *control_methods(struct control_ask *ask, struct om_error *err);
/** control_peers_list() - "peers.list": @ask, @err as any control_method. */
json_t *control_peers_list(struct control_ask *ask, struct om_error *err);
/** control_peers_add() - "peers.add": @ask, @err as any control_method. */
json_t *control_peers_add(struct control_ask *ask, struct om_error *err);
/** control_why() - "peers.why": @ask, @err as any control_method. */
json_t *control_why(struct control_ask *ask, struct om_error *err);
/** control_ping_start() - "ping.start": @ask, @err as any control_method. */
json_t *control_ping_start(struct control_ask *ask, struct om_error *err);
/** control_message_send() - "message.send": @ask, @err as any control_method. */
json_t *control_message_send(struct control_ask *ask, struct om_error *err);
/** control_message_list() - "message.list": @ask, @err as any control_method. */
json_t *control_message_list(struct control_ask *ask, struct om_error *err);
/** control_message_read() - "message.read": @ask, @err as any control_method. */
json_t *control_message_read(struct control_ask *ask, struct om_error *err);
/** control_health_probe() - "health.probe": @ask, @err as any control_method. */
json_t *control_health_probe(struct control_ask *ask, struct om_error *err);
/** control_peer_status() - "peer.status": @ask, @err as any control_method. */
json_t *control_peer_status(struct control_ask *ask, struct om_error *err);
/** control_subscribe() - "events.subscribe": @ask, @err as any control_method. */
json_t *control_subscribe(struct control_ask *ask, struct om_error *err);
/** control_unsubscribe() - "events.unsubscribe": @ask, @err as any control_method. */
json_t *control_unsubscribe(struct control_ask *ask, struct om_error *err);
/** control_config_show() - "config.show": @ask, @err as any control_method. */
json_t *control_config_show(struct control_ask *ask, struct om_error *err);
/** control_config_reload() - "config.reload": @ask, @err as any control_method. */
json_t *control_config_reload(struct control_ask *ask, struct om_error *err);
/** control_links_list() - "links.list": @ask, @err as any control_method. */
json_t *control_links_list(struct control_ask *ask, struct om_error *err);
/** control_netcheck() - "netcheck": @ask, @err as any control_method. */
json_t *control_netcheck(struct control_ask *ask, struct om_error *err);
/** control_log_level() - "log.level": @ask, @err as any control_method. */
json_t *control_log_level(struct control_ask *ask, struct om_error *err);
/** control_log_tail() - "log.tail": @ask, @err as any control_method. */
json_t *control_log_tail(struct control_ask *ask, struct om_error *err);
/** control_metrics() - "metrics.show": @ask, @err as any control_method. */
json_t *control_metrics(struct control_ask *ask, struct om_error *err);
/** control_stop() - "stop": @ask, @err as any control_method. */
json_t *control_stop(struct control_ask *ask, struct om_error *err);
/** control_doctor() - "doctor.daemon": @ask, @err as any control_method. */
json_t *control_doctor(struct control_ask *ask, struct om_error *err);
/** control_forward_add() - "forward.add": @ask, @err as any control_method. */
json_t *control_forward_add(struct control_ask *ask, struct om_error *err);
/** control_forward_list() - "forward.list": @ask, @err as any control_method. */
json_t *control_forward_list(struct control_ask *ask, struct om_error *err);
/** control_forward_remove() - "forward.remove": @ask, @err as any control_method. */
json_t *control_forward_remove(struct control_ask *ask, struct om_error *err);
/** control_expose_add() - "expose.add": @ask, @err as any control_method. */
json_t *control_expose_add(struct control_ask *ask, struct om_error *err);
/** control_expose_list() - "expose.list": @ask, @err as any control_method. */
json_t *control_expose_list(struct control_ask *ask, struct om_error *err);
/** control_expose_remove() - "expose.remove": @ask, @err as any control_method. */
json_t *control_expose_remove(struct control_ask *ask, struct om_error *err);
/** control_expose_usage() - "expose.usage": @ask, @err as any control_method. */
json_t *control_expose_usage(struct control_ask *ask, struct om_error *err);
/** control_provide_set() - "provide.set": @ask, @err as any control_method. */
json_t *control_provide_set(struct control_ask *ask, struct om_error *err);
/** control_provide_show() - "provide.show": @ask, @err as any control_method. */
json_t *control_provide_show(struct control_ask *ask, struct om_error *err);
/** control_providers_list() - "providers.list": @ask, @err as any control_method. */
json_t *control_providers_list(struct control_ask *ask, struct om_error *err);
/** control_vm_console() - "vm.console": @ask, @err as any control_method. */
json_t *control_vm_console(struct control_ask *ask, struct om_error *err);
/** control_vm_extend() - "vm.extend": @ask, @err as any control_method. */
json_t *control_vm_extend(struct control_ask *ask, struct om_error *err);
/** control_vm_list() - "vm.list": @ask, @err as any control_method. */
json_t *control_vm_list(struct control_ask *ask, struct om_error *err);
/** control_vm_release() - "vm.release": @ask, @err as any control_method. */
json_t *control_vm_release(struct control_ask *ask, struct om_error *err);
/** control_vm_request() - "vm.request": @ask, @err as any control_method. */
json_t *control_vm_request(struct control_ask *ask, struct om_error *err);
/** control_approvals_allow() - "approvals.allow": @ask, @err as any control_method. */
json_t *control_approvals_allow(struct control_ask *ask, struct om_error *err);
/** control_approvals_deny() - "approvals.deny": @ask, @err as any control_method. */
json_t *control_approvals_deny(struct control_ask *ask, struct om_error *err);
/** control_cloister_accept() - "cloister.accept": @ask, @err as any control_method. */
json_t *control_cloister_accept(struct control_ask *ask, struct om_error *err);
/** control_cloister_ask() - "cloister.ask": @ask, @err as any control_method. */
json_t *control_cloister_ask(struct control_ask *ask, struct om_error *err);
/** control_cloister_deny() - "cloister.deny": @ask, @err as any control_method. */
json_t *control_cloister_deny(struct control_ask *ask, struct om_error *err);
/** control_cloister_list() - "cloister.list": @ask, @err as any control_method. */
json_t *control_cloister_list(struct control_ask *ask, struct om_error *err);
/** control_approvals_list() - "approvals.list": @ask, @err as any control_method. */
json_t *control_approvals_list(struct control_ask *ask, struct om_error *err);
/** control_filter_add() - "filter.add": @ask, @err as any control_method. */
json_t *control_filter_add(struct control_ask *ask, struct om_error *err);
/** control_filter_default() - "filter.default": @ask, @err as any control_method. */
json_t *control_filter_default(struct control_ask *ask, struct om_error *err);
/** control_filter_list() - "filter.list": @ask, @err as any control_method. */
json_t *control_filter_list(struct control_ask *ask, struct om_error *err);
/** control_filter_remove() - "filter.remove": @ask, @err as any control_method. */
json_t *control_filter_remove(struct control_ask *ask, struct om_error *err);
/** control_filter_reputation() - "filter.reputation": @ask, @err as any control_method. */
json_t *control_filter_reputation(struct control_ask *ask, struct om_error *err);
/** control_filter_test() - "filter.test": @ask, @err as any control_method. */
json_t *control_filter_test(struct control_ask *ask, struct om_error *err);
/** control_vm_resume() - "vm.resume": @ask, @err as any control_method. */
json_t *control_vm_resume(struct control_ask *ask, struct om_error *err);
/** control_networks_create() - "networks.create": @ask, @err as any control_method. */
json_t *control_networks_create(struct control_ask *ask, struct om_error *err);
/** control_networks_direct() - "networks.direct": @ask, @err as any control_method. */
json_t *control_networks_direct(struct control_ask *ask, struct om_error *err);
/** control_networks_invite() - "networks.invite": @ask, @err as any control_method. */
json_t *control_networks_invite(struct control_ask *ask, struct om_error *err);
/** control_networks_join() - "networks.join": @ask, @err as any control_method. */
json_t *control_networks_join(struct control_ask *ask, struct om_error *err);
/** control_networks_leave() - "networks.leave": @ask, @err as any control_method. */
json_t *control_networks_leave(struct control_ask *ask, struct om_error *err);
/** control_networks_block() - "networks.block": @ask, @err as any control_method. */
json_t *control_networks_block(struct control_ask *ask, struct om_error *err);
/** control_networks_blocked() - "networks.blocked": @ask, @err as any control_method. */
json_t *control_networks_blocked(struct control_ask *ask, struct om_error *err);
/** control_networks_members() - "networks.members": @ask, @err as any control_method. */
json_t *control_networks_members(struct control_ask *ask, struct om_error *err);
/** control_networks_revoke() - "networks.revoke": @ask, @err as any control_method. */
json_t *control_networks_revoke(struct control_ask *ask, struct om_error *err);
/** control_networks_void() - "networks.void": @ask, @err as any control_method. */
json_t *control_networks_void(struct control_ask *ask, struct om_error *err);
/** control_networks_rename() - "networks.rename": @ask, @err as any control_method. */
json_t *control_networks_rename(struct control_ask *ask, struct om_error *err);
/** control_networks_show() - "networks.show": @ask, @err as any control_method. */
json_t *control_networks_show(struct control_ask *ask, struct om_error *err);
/** control_vm_traffic() - "vm.traffic": @ask, @err as any control_method. */
json_t *control_vm_traffic(struct control_ask *ask, struct om_error *err);

#endif
