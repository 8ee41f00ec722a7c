"""Metrics as Prometheus fetches them: over the Unix socket and a loopback port."""

import os
import re
import socket
import subprocess

from daemon import free_port, knows, wait_until


def fetch(*argv):
    run = subprocess.run(["curl", "-sS", "-i", "--max-time", "5", *argv],
                         capture_output=True, text=True, check=False)
    head, _, body = run.stdout.partition("\n\n")
    return run.returncode, head, body


def test_metrics_pages_are_served(make):
    port = free_port(socket.SOCK_STREAM)
    one = make("home", ["--no-portmap", "--metrics-port", str(port)]).start()
    at = os.path.join(one.home, "metrics.sock")
    code, head, body = fetch("--unix-socket", at, "http://localhost/metrics")
    assert code == 0 and " 200 " in head.splitlines()[0]
    assert "text/plain; version=0.0.4" in head
    assert re.search(r"^omerta_peers \d+$", body, re.M)
    assert re.search(r'^omerta_drops_total\{reason="foreign"\} \d+$', body, re.M)
    assert re.search(r"^# TYPE omerta_datagrams_in_total counter$", body, re.M)
    assert re.search(r"^# TYPE omerta_keepalives_total counter$", body, re.M)
    assert re.search(r'^omerta_nat_life_milliseconds\{family="ipv6"\} 0$', body, re.M)
    code, head, over_tcp = fetch(f"http://127.0.0.1:{port}/metrics")
    assert code == 0 and "omerta_peers " in over_tcp
    code, head, _ = fetch("--unix-socket", at, "http://localhost/elsewhere")
    assert " 404 " in head.splitlines()[0]
    code, head, _ = fetch("--unix-socket", at, "-X", "POST", "http://localhost/metrics")
    assert " 405 " in head.splitlines()[0]
    assert one.stop() == 0
    assert not os.path.exists(at)


def test_metrics_name_peers(pair):
    a, b = pair
    assert knows(a, [b.self_id()])
    at = os.path.join(a.home, "metrics.sock")
    # It is known before the handshake is over.
    line = re.compile(r'^omerta_peer_connected\{peer="%s"\} 1$' % b.self_id(), re.M)
    page = ("--unix-socket", at, "http://localhost/metrics")
    assert wait_until(lambda: line.search(fetch(*page)[2])), fetch(*page)


def test_metrics_tell_why_lanes_were_refused(make):
    relay = make("relay", ["--no-portmap", "--relay"]).start()
    one = make("one", ["--no-portmap"] + relay.bootstrap()).start()
    assert knows(one, [relay.self_id()])
    at = os.path.join(relay.home, "metrics.sock")

    def refusals():
        body = fetch("--unix-socket", at, "http://localhost/metrics")[2]
        named = re.findall(r'^omerta_relay_refusals_total\{reason="(\w+)"\} (\d+)$', body, re.M)
        total = re.search(r"^omerta_lane_refusals_total (\d+)$", body, re.M)
        return {reason: int(count) for reason, count in named}, int(total.group(1))

    named, total = refusals()
    assert set(named) == {"unwilling", "full", "stranger", "rate", "silent", "denied", "other"}
    assert total == 0 and not any(named.values())
    nobody = make("nobody", ["--no-portmap"]).start()
    stranger = nobody.self_id()
    assert nobody.stop() == 0
    one.rpc("peers.add", peer=stranger, endpoints=[])
    # It is asked when its record has told that it relays, with the next msg1 to the stranger.
    assert wait_until(lambda: refusals()[0]["stranger"] > 0, 30)
    named, total = refusals()
    assert sum(named.values()) == total == named["stranger"]


def test_metrics_count_what_happened(pair):
    a, b = pair
    assert knows(a, [b.self_id()])
    at = os.path.join(a.home, "metrics.sock")

    def value(name):
        body = fetch("--unix-socket", at, "http://localhost/metrics")[2]
        return int(re.search(rf"^omerta_{name} (\d+)$", body, re.M).group(1))

    assert wait_until(lambda: value('events_total{kind="session_up"}') >= 1)
    assert wait_until(lambda: value('events_total{kind="path_moved"}') >= 1)
    assert value('events_total{kind="punch_failed"}') == 0  # nothing was to be punched
    assert value('peer_relayed{peer="%s"}' % b.self_id()) == 0
    for family in "ipv4", "ipv6":
        assert value(f'udp_blocked{{family="{family}"}}') == 0
        assert value(f'nat_strict{{family="{family}"}}') == 0


def test_metrics_tell_the_latency_of_peers(pair):
    a, b = pair
    assert knows(a, [b.self_id()])
    at = os.path.join(a.home, "metrics.sock")
    figure = re.compile(r'^omerta_peer_rtt_(mean|p50|p95|p99)_microseconds\{peer="%s"\} (\d+)$'
                        % b.self_id(), re.M)

    def figures():
        return dict(figure.findall(fetch("--unix-socket", at, "http://localhost/metrics")[2]))

    # There is none until the first half minute is over.
    told = {name: int(value) for name, value in wait_until(figures, 50).items()}
    assert set(told) == {"mean", "p50", "p95", "p99"}
    assert 0 < told["mean"] <= told["p99"] and told["p50"] <= told["p95"] <= told["p99"]
    latency = a.rpc("peers.list")["peers"][0]["latency"]
    assert latency["samples"] >= 1 and {"mean_ms", "p50_ms", "p95_ms", "p99_ms"} <= set(latency)
    [same] = a.rpc("status")["latency_of_peers"]
    assert same["peer"] == b.self_id() and set(same) == set(latency) | {"peer", "network"}


def test_metrics_port_in_use(make):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        one = make("home", ["--no-portmap", "--metrics-port", str(s.getsockname()[1])])
        one.spawn()
        assert one.wait() == 1
        assert "metrics.port: TCP port" in one.log() and "in use" in one.log()
