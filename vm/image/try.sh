#!/bin/bash
# try.sh - boots an image with QEMU alone, as an ordinary user, and says how long each step takes
#
#   try.sh [--memory MIB] [--disk SIZE] [--seed-extra JSON] [--keep-log FILE] DIR [COMMAND...]
#
# Waits for SSH, runs a command by SSH (host key from the seed: no question asked) and a job by the
# agent, then COMMAND, which finds OM_SSH (an ssh_config with the host "guest"), OM_AGENT (the
# agent's socket) and OM_IMAGE in its environment; then powers off by the ACPI button. Software
# emulation (TCG) only: what it measures is the same on every machine. Exit: 0, or that of the first
# step that failed; 77 where something needed is not installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

memory="" disk="" extra='{}' log=""
while [ $# -gt 0 ]; do
    case $1 in
    --memory) memory=$2 ;;
    --disk) disk=$2 ;;
    --seed-extra) extra=$2 ;;
    --keep-log) log=$2 ;;
    --*)
        sed -n '4s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) break ;;
    esac
    shift 2
done
[ $# -ge 1 ] || { sed -n '4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
image=$(cd "$1" && pwd)
shift

for tool in qemu-system-x86_64 qemu-img genisoimage ssh ssh-keygen python3; do
    command -v $tool >/dev/null || { echo "try.sh: $tool is missing"; exit 77; }
done
python3 "$here/image.py" verify "$image"
field() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
        "$image/image.json" "$1"
}
memory=${memory:-$(field memory_min_mib)}

dir=$(mktemp -d)
qemu=""
# shellcheck disable=SC2317 # the trap calls it
finish() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
    [ -z "$log" ] || cp "$dir/console" "$log" 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT

ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
since() { printf '%d.%03d s' $((($(ms) - $1) / 1000)) $((($(ms) - $1) % 1000)); }
failed() {
    echo "try.sh: $*" >&2
    tail -n 20 "$dir/console" >&2 || true
    exit 1
}

for key in host user; do
    ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$dir/$key"
done
python3 - "$dir" "$extra" <<'PYTHON'
import json
import sys
d, extra = sys.argv[1], json.loads(sys.argv[2])
read = lambda n: open(f"{d}/{n}", encoding="utf-8").read()
seed = {"hostname": "guest", "ssh_authorized_keys": [read("user.pub").strip()],
        "ssh_keys": {"ed25519_private": read("host"), "ed25519_public": read("host.pub")}}
seed.update(extra)
with open(f"{d}/user-data", "w", encoding="utf-8") as f:
    f.write("#cloud-config\n" + json.dumps(seed) + "\n")
with open(f"{d}/meta-data", "w", encoding="utf-8") as f:
    json.dump({"instance-id": "try", "local-hostname": "guest"}, f)
PYTHON
genisoimage -quiet -output "$dir/seed.iso" -volid cidata -joliet -rock \
    "$dir/user-data" "$dir/meta-data"

port=$(python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
drives=()
if [ -n "$disk" ]; then
    qemu-img create -q -f qcow2 "$dir/disk.qcow2" "$disk"
    # shellcheck disable=SC2054 # QEMU's own commas
    drives=(-drive "file=$dir/disk.qcow2,if=none,id=disk,format=qcow2"
        -device virtio-blk-pci,drive=disk,serial=disk)
fi

start=$(ms)
qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
    -machine q35 -cpu max -accel tcg,thread=multi,tb-size=64 -smp 1 -m "$memory" \
    -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
    -kernel "$image/vmlinux" -initrd "$image/initrd" -append "$(field cmdline)" \
    -chardev "file,id=console,path=$dir/console" -serial chardev:console \
    -qmp "unix:$dir/qmp,server=on,wait=off" \
    -drive "file=$dir/seed.iso,if=none,id=seed,format=raw,readonly=on" \
    -device virtio-blk-pci,drive=seed,serial=seed "${drives[@]}" \
    -netdev "user,id=net,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net \
    -device virtio-rng-pci -device virtio-serial-pci \
    -chardev "socket,id=agent,path=$dir/agent,server=on,wait=off" \
    -device virtserialport,chardev=agent,name=org.omerta.agent \
    2>"$dir/qemu" &
qemu=$!

cat >"$dir/ssh_config" <<CONFIG
Host guest
    HostName 127.0.0.1
    Port $port
    User root
    IdentityFile $dir/user
    IdentitiesOnly yes
    HostKeyAlias guest
    UserKnownHostsFile $dir/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    LogLevel ERROR
CONFIG
echo "guest $(cut -d ' ' -f 1,2 "$dir/host.pub")" >"$dir/known_hosts"

# The first bytes of the greeting: QEMU's network takes the connection before the guest does.
python3 - "$port" "$qemu" <<'PYTHON' || failed "no greeting by SSH in 60 s: $(cat "$dir/qemu")"
import os
import socket
import sys
import time
end = time.monotonic() + 60
while time.monotonic() < end:
    os.kill(int(sys.argv[2]), 0)
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1) as s:
            s.settimeout(1)
            if s.recv(4) == b"SSH-":
                sys.exit(0)
    except OSError:
        pass
    time.sleep(0.02)
sys.exit(1)
PYTHON
# On a busy machine the processor time says more than the clock.
spent=$(awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f", ($14 + $15) / hz }' "/proc/$qemu/stat")
echo "ssh greets: $(since "$start"), with $spent s of processor time"

before=$(ms)
ssh -F "$dir/ssh_config" guest uname -a || failed "no command by SSH"
echo "command by ssh: $(since "$before")"

before=$(ms)
# shellcheck disable=SC2016 # for the guest's shell
said=$(python3 "$here/talk.py" "$dir/agent" run sh 'echo job on $(hostname)') || failed "no job"
[ "$said" = "job on guest" ] || failed "the job said '$said'"
echo "job by the agent: $(since "$before")"

status=0
if [ $# -gt 0 ]; then
    OM_SSH=$dir/ssh_config OM_AGENT=$dir/agent OM_IMAGE=$image "$@" || status=$?
fi

before=$(ms)
python3 - "$dir/qmp" <<'PYTHON'
import json
import socket
import sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rwb", buffering=0)
f.readline()
for command in "qmp_capabilities", "system_powerdown":
    f.write(json.dumps({"execute": command}).encode())
    f.readline()
PYTHON
for _ in $(seq 200); do
    kill -0 "$qemu" 2>/dev/null || break
    read -rt 0.05 <> <(:) || true
done
kill -0 "$qemu" 2>/dev/null && failed "not off within 10 s"
wait "$qemu" || failed "QEMU: exit $?: $(cat "$dir/qemu")"
qemu=""
echo "off by the button: $(since "$before")"
exit $status
