"""What a guest may send, what follows when it sends more, and how long it lives: real guests."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from daemon import RpcError, program
from fixtures import ALONE
from omerta_lab import die_with_parent, wait_until
from vmlab import (END_SECONDS, ROOM, SMALL, give_image, inside, omerta, provided, qemus, until,
                   wanted)

GATEWAY = "10.77.1.1"
FORGED = "10.99.0.1"
FORGE = "ping -q -c {n} -i 0.01 -W 1 -I " + f"{FORGED} {GATEWAY}; true"
HONEST = "ping -q -c {n} -i 0.01 -W 1 " + GATEWAY
FORGER = f"ip addr add {FORGED}/32 dev eth0"


def boot(provider, control, **words):
    """A machine of whom @control is of; its id."""
    control.rpc("vm.request", peer=provider.self_id(), **{**SMALL, **words})
    return until(control, "running")["vm"]


def start(daemon, *argv, **options):
    """The command line in the home of @daemon, under way."""
    return subprocess.Popen([program("omerta"), *argv], preexec_fn=die_with_parent,
                            env=dict(os.environ, OMERTA_HOME=daemon.home),
                            stdin=subprocess.DEVNULL, **options)


def traffic(daemon, vm):
    """What goes over its card, as @daemon says."""
    return daemon.rpc("vm.traffic", vm=vm)


def warning(control, words, seconds=END_SECONDS):
    """The next event whose text has @words."""
    return control.event(lambda e: e["method"] == "vm" and words in e["params"]["text"],
                         seconds)["params"]


def test_violations(three):
    """Forged packets are refused, and what follows is the provider's: warning, pause, end."""
    provider, consumer, _ = three
    provider.rpc("provide.set", on=True, violations="warn")
    with consumer.control() as control:
        vm = boot(provider, control)
        inside(consumer, vm, FORGER)
        # The control: what a guest may send has no score, however much of it there is.
        # Its ping takes an answer for lost that waited a second for a busy machine.
        assert wait_until(lambda: " 0% packet loss" in inside(consumer, vm, HONEST.format(n=100)),
                          END_SECONDS)
        before = traffic(provider, vm)
        assert before["score"] < 100 and "spoofed" not in before["refused"], before

        assert "100% packet loss" in inside(consumer, vm, FORGE.format(n=10))
        told = warning(control, "spoofed")
        assert told["state"] == "running" and "refused" in told["text"], told
        assert traffic(provider, vm)["refused"]["spoofed"] == 10
        inside(consumer, vm, FORGE.format(n=60))
        assert warning(control, "spoofed")["state"] == "running"

        # From the next level on the guest is frozen until its provider says otherwise.
        provider.rpc("provide.set", on=True, violations="pause", pause="1h")
        with start(consumer, "vm", "ssh", vm, FORGE.format(n=400) + "; echo on",
                   stdout=subprocess.PIPE, text=True) as forger:
            assert "spoofed" in until(control, "paused")["text"]
            assert [m["state"] for m in provided(provider)] == ["paused"]
            sent = traffic(provider, vm)["packets_sent"]
            with pytest.raises(subprocess.TimeoutExpired):
                forger.wait(5)
            assert traffic(provider, vm)["packets_sent"] == sent
            done = omerta(consumer, "vm", "resume")
            assert done.returncode == 4 and "runs here" in done.stderr, done
            done = omerta(provider, "vm", "resume", vm)
            assert done.returncode == 0 and "running" in done.stdout, done
            until(control, "running")
            # It goes on where it was; the rest of its forgeries pauses it again, for a moment.
            provider.rpc("provide.set", on=True, pause="2s")
            out, _ = forger.communicate(timeout=120)
            assert out.endswith("on\n")
        inside(consumer, vm, FORGE.format(n=60))
        until(control, "paused")
        until(control, "running", END_SECONDS)

        provider.rpc("provide.set", on=True, violations="kill")
        with start(consumer, "vm", "ssh", vm, FORGE.format(n=400)) as forger:
            end = control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)["params"]
            forger.kill()
    assert end["end"] == "violation" and "spoofed" in end["text"], end
    assert qemus(provider) == [] and provided(provider) == [] and wanted(consumer) == []
    page = provider.rpc("metrics.show")["text"]
    for answer in ("warn", "pause", "kill"):
        line = [x for x in page.splitlines() if f'answer="{answer}"' in x and x[0] != "#"]
        assert line and float(line[0].split()[-1]) >= 1, line


def packets_of(path):
    """Frames of a file of pcap, read as draft-ietf-opsawg-pcap has it."""
    with open(path, "rb") as file:
        data = file.read()
    assert struct.unpack(">IHH", data[:8]) == (0xa1b2c3d4, 2, 4)
    assert struct.unpack(">I", data[20:24]) == (1,)
    at, found = 24, []
    while at < len(data):
        seconds, _, length, whole = struct.unpack(">IIII", data[at:at + 16])
        assert length == whole <= 9014 and abs(time.time() - seconds) < 600
        found.append(data[at + 16:at + 16 + length])
        assert len(found[-1]) == length
        at += 16 + length
    return found


def ipv4_from(frame):
    """The address that a frame of IPv4 comes from, else ""."""
    return socket.inet_ntoa(frame[26:30]) if frame[12:14] == b"\x08\x00" else ""


def test_traffic_and_capture(three, folder):
    """Its flows are seen by both sides, its packets by its provider alone."""
    provider, consumer, other = three
    ports = []
    thread, got = sink(ports)
    with consumer.control() as control:
        vm = boot(provider, control, expose=ports)
    inside(consumer, vm, f"{FORGER}; head -c 300000 /dev/zero | nc {GATEWAY} {ports[0]}")
    thread.join(60)
    assert got["bytes"] == 300000
    for one in (provider, consumer):
        seen = traffic(one, vm)
        flow = [f for f in seen["flows"] if f["port"] == ports[0]]
        assert len(flow) == 1 and flow[0]["to"] == GATEWAY and flow[0]["proto"] == "tcp", seen
        assert flow[0]["bytes_sent"] > 300000 and flow[0]["packets_got"] > 0, flow
        assert seen["gate"] == "conntrack" and seen["vm"] == vm
    with pytest.raises(RpcError, match="no such virtual machine of yours"):
        other.rpc("vm.traffic", vm=vm, peer=provider.self_id())
    done = omerta(provider, "vm", "traffic", vm)
    assert done.returncode == 0 and str(ports[0]) in done.stdout, done
    assert "conntrack" in done.stdout

    target = os.path.join(folder, "guest.pcap")
    with start(provider, "vm", "capture", vm, "--write", target, "--count", "200",
               stderr=subprocess.PIPE, text=True) as capture:
        # Once the file is there the capture has begun.
        assert wait_until(lambda: os.path.exists(target), 20)
        inside(consumer, vm, FORGE.format(n=5) + ";" + HONEST.format(n=300))
        _, err = capture.communicate(timeout=120)
        assert capture.returncode == 0 and "200 packets, 0 more" in err, err
    frames = packets_of(target)
    sources = {ipv4_from(f) for f in frames}
    assert len(frames) == 200
    assert {GATEWAY, "10.77.1.2", FORGED} <= sources, sources
    if shutil.which("tcpdump"):
        read = subprocess.run(["tcpdump", "-nr", target], capture_output=True, text=True,
                              check=True).stdout
        assert read.count("\n") == 200 and f"{FORGED} > {GATEWAY}: ICMP echo request" in read

    # Without bounds it ends with Ctrl-C, and the file is whole; and it may be a pipe.
    with start(provider, "vm", "capture", vm, stdout=subprocess.PIPE,
               stderr=subprocess.PIPE) as capture:
        head = capture.stdout.read(24)
        inside(consumer, vm, HONEST.format(n=20))
        capture.send_signal(signal.SIGINT)
        rest, err = capture.communicate(timeout=60)
        assert capture.returncode == 0, err
    with open(target, "wb") as file:
        file.write(head + rest)
    assert len(packets_of(target)) >= 40
    done = omerta(consumer, "vm", "capture", vm, "--write", target)
    assert done.returncode == 4 and "runs here" in done.stderr, done


def sink(port_of):
    """Takes one connection; its bytes and the seconds from the first to the last."""
    listener = socket.create_server(("127.0.0.1", 0))
    port_of.append(listener.getsockname()[1])
    result = {}

    def take():
        line, _ = listener.accept()
        listener.close()
        with line:
            line.recv(1)
            begun, got = time.monotonic(), 1
            while piece := line.recv(1 << 20):
                got += len(piece)
            result.update(bytes=got, seconds=time.monotonic() - begun)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return thread, result


def source(size, port_of):
    """Gives one connection @size bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    port_of.append(listener.getsockname()[1])

    def give():
        line, _ = listener.accept()
        listener.close()
        with line:
            line.sendall(bytes(size))

    threading.Thread(target=give, daemon=True).start()


def rates(consumer, vm, size, ports, up):
    """Bytes a second from the guest to the consumer, and back."""
    thread, result = up
    inside(consumer, vm, f"head -c {size} /dev/zero | nc {GATEWAY} {ports[0]}")
    thread.join(60)
    assert result["bytes"] == size
    took = inside(consumer, vm, f"read a b </proc/uptime; nc {GATEWAY} {ports[1]} </dev/null |"
                                " wc -c; read c d </proc/uptime; echo $a $c").split()
    assert took[0] == str(size), took
    return size / result["seconds"], size / (float(took[2]) - float(took[1]))


def test_rate_and_modes(three):
    """--rate holds a guest back, both ways; no mode of the gate lets anything more through."""
    provider, consumer, _ = three
    rate, size = 250000, 3000000
    for mode, bound in (("sampled", 0), ("filtered", rate)):
        done = omerta(provider, "provide", "on", "--rate", f"{bound * 8 // 1000}kbit", "--gate",
                      mode)
        assert done.returncode == 0 and mode in done.stdout, done
        ports = []
        up = sink(ports)
        source(size, ports)
        with consumer.control() as control:
            vm = boot(provider, control, expose=ports)
            there, back = rates(consumer, vm, size, ports, up)
            print(f"{mode}, rate {bound}: {there:.0f} B/s up, {back:.0f} B/s down")
            seen = traffic(provider, vm)
            assert seen["rate"] == bound and seen["gate"] == mode
            if bound:
                # What is bounded are frames: a segment of 8948 bytes is one of 9014, and 4 more. On
                # a busy machine less may come.
                for one in (there, back):
                    assert bound * 0.5 < one * 9018 / 8948 < bound * 1.15, (there, back)
                assert seen["held"] > 0 and seen["out_full"] == 0
            else:
                assert there > 2 * rate and back > 2 * rate  # the control
                # A flow that is counted one packet in 16 is counted about right.
                most = max(f["bytes_sent"] for f in seen["flows"])
                assert size * 0.8 < most < size * 1.3, most
            assert "100% packet loss" in inside(consumer, vm, f"{FORGER}; {FORGE.format(n=10)}")
            assert traffic(provider, vm)["refused"]["spoofed"] == 10
            consumer.rpc("vm.release", vm=vm)
            control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)


def test_lease_lives_by_its_consumer(three):
    """Who follows its machine keeps it beyond its ttl; who is gone loses it after that."""
    provider, consumer, _ = three
    with consumer.control() as control:
        boot(provider, control, ttl="10s")
        # The control: it is there through two and a half times its ttl.
        assert not wait_until(lambda: not provided(provider), 25)
    assert [m["state"] for m in provided(provider)] == ["running"]
    gone = time.monotonic()
    consumer.stop()
    assert wait_until(lambda: not provided(provider), END_SECONDS)
    assert time.monotonic() - gone > 5
    assert qemus(provider) == []


def test_hard_maximum(make, image):
    """No sign of life moves the end that the provider set; the consumer is warned of it."""
    alone = make("p", ALONE).start()
    give_image(alone, image)
    with pytest.raises(RpcError, match="max_lease"):
        alone.rpc("provide.set", on=True, max_lease="forever", **ROOM)
    alone.rpc("provide.set", on=True, max_lease="20s", **ROOM)
    with alone.control() as control:
        control.rpc("vm.request", memory="192M", ttl="10m")
        up = until(control, "running")
        assert up["left_s"] <= 20
        assert "allows no more" in warning(control, "ends soon")["text"]
        end = control.event(lambda e: e["params"]["state"] == "gone", END_SECONDS)["params"]
    assert end["end"] == "expired", end
