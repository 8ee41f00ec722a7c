#!/usr/bin/python3
"""inside.py - what a booted guest has to do; started by try.sh, which says where the guest is"""
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "vm", "image"))
import talk  # noqa: E402 (found by the line above)

with open(os.environ["OM_IMAGE"] + "/image.json", encoding="utf-8") as image_file:
    IMAGE = json.load(image_file)
AGENT = talk.Agent(os.environ["OM_AGENT"], timeout=60)


def check(what, condition, detail=""):
    if not condition:
        sys.exit(f"inside.py: {what}: {detail!r}")


def ssh(*args, text=b""):
    return subprocess.run(["ssh", "-F", os.environ["OM_SSH"], *args], timeout=60, check=False,
                          input=text, capture_output=True)


def out(program, language="sh"):
    status, text, err = AGENT.run(language, program)
    check(program, status == 0, (status, err))
    return text.decode()


def jobs_have_output_and_a_status():
    check("hello", AGENT.hello() == ["1", IMAGE["name"], ",".join(IMAGE["languages"]), "-"])
    check("both streams", AGENT.run("sh", "echo a; echo b >&2; exit 7") == (7, b"a\n", b"b\n"))
    check("no input", AGENT.run("sh", "cat; pwd") == (0, b"/work\n", b""))
    check("a signal", AGENT.run("sh", "kill -9 $$")[0] == 137)
    check("no program", AGENT.run("sh", "no-such-program")[0] == 127)
    check("an empty one", AGENT.run("sh", "") == (0, b"", b""))
    big = bytes(range(256)) * 4096
    check("1 MiB", AGENT.put("/work/big", big)[0] == 0)
    check("of output", AGENT.run("sh", "cat big; cat big >&2") == (0, big, big))
    long = "x=" + "a" * 200000 + "; echo ${#x}"
    check("a long program", AGENT.run("sh", long) == (0, b"200000\n", b""))
    status, _, why = AGENT.run("cobol", "x" * 1000)
    check("no such language", status is None and b"this image runs sh" in why, why)


def output_comes_as_it_is_made():
    """The program goes on only when what it has said so far has been seen."""
    me = AGENT.start("sh", "echo first; until [ -e go ]; do usleep 20000; done; echo second")
    check("the first line", AGENT.frame(me) == ["out", me, "Zmlyc3QK"])
    check("the job is listed", AGENT.hello()[3] == me)
    check("the sign", AGENT.put("go", b"")[0] == 0)
    check("the second", AGENT.finish(me) == (0, b"second\n", b""))


def a_job_ends_whole():
    me = AGENT.start("sh", "echo up; exec sleep 1000")
    AGENT.frame(me)
    AGENT.send(f"cancel {me}")
    check("cancelled", AGENT.finish(me)[0] == 143)
    me = AGENT.start("sh", "trap '' TERM; echo up; while :; do sleep 1; done")
    AGENT.frame(me)
    start = time.monotonic()
    AGENT.send(f"cancel {me}")
    check("killed", AGENT.finish(me)[0] == 137)
    check("after 2 s", time.monotonic() - start > 1.5)
    # What it leaves behind, also in a session of its own, holds its output open no longer.
    check("leavings", AGENT.run("sh", "setsid sleep 1001 & echo x") == (0, b"x\n", b""))
    check("are gone", "1001" not in out("ps | grep -v grep"))
    AGENT.send("cancel nobody")
    check("no such job", AGENT.frame("nobody")[0] == "fail")


def jobs_run_side_by_side():
    program = "until [ -e all ]; do usleep 50000; done; head -c 50000 /dev/zero; echo {} >&2"
    jobs = [AGENT.start("sh", program.format(i)) for i in range(16)]
    status, _, why = AGENT.run("sh", "true")
    check("one too many", status is None and b"16 jobs" in why, why)
    check("a name twice", AGENT.order("run", "sh", "0")[0] is None)
    AGENT.put("all", b"")
    for i, me in enumerate(jobs):
        check("output of one", AGENT.finish(me) == (0, b"\0" * 50000, b"%d\n" % i), i)
    check("and again", out("echo yes") == "yes\n")


def files_go_both_ways():
    data = os.urandom(300001)
    check("put", AGENT.put("a folder/a 'name'", data, "0750") == (0, b"", b""))
    check("get", AGENT.get("/work/a folder/a 'name'") == (0, data, b""))
    check("mode", out("stat -c %a \"/work/a folder/a 'name'\"") == "750\n")
    check("nothing", AGENT.put("empty", b"")[0] == 0 and AGENT.get("/work/empty") == (0, b"", b""))
    check("no such file", AGENT.get("/nope")[0] == 1)
    for path, mode in ("/proc/x", "0644"), ("/work/", "0644"), ("x", "rwx"), ("", "0644"):
        check("no such place", AGENT.put(path, b"x" * 70000, mode)[0] is None, path)
    check("and still there", out("echo yes") == "yes\n")


def words_it_does_not_know():
    for line in "x", "run", "dance a", "put a", "run a sh -1", "run a sh 99999999999", \
            "run a/b sh 0", "run " + "a" * 33 + " sh 0", "time a now", "* *", "hello ../..", \
            "get a", "get a !!":
        AGENT.send(line)
        check(line, AGENT.frame()[0] == "fail", line)
    AGENT.send("\n   \n")
    check("time", AGENT.order("time", "2000000000") == (0, b"", b""))
    check("is set", out("date +%s").startswith("20000000"))
    AGENT.order("time", str(int(time.time())))
    check("entropy", AGENT.order("entropy", "64", body=os.urandom(64))[0] == 0)


def a_host_comes_back():
    global AGENT
    me = AGENT.start("sh", "echo up; until [ -e back ]; do usleep 50000; done; echo done")
    AGENT.frame(me)
    AGENT.sock.shutdown(2)
    AGENT.close()
    AGENT = talk.Agent(os.environ["OM_AGENT"], timeout=60)
    check("the job goes on", AGENT.hello()[3] == me)
    AGENT.put("back", b"")
    check("its end is told", AGENT.finish(me) == (0, b"done\n", b""))


def people_come_by_ssh():
    check("whose", ssh("guest", "id -u; hostname").stdout == b"0\nguest\n")
    run = ssh("-tt", "guest", text=b"exit\n")
    check("a shell", b"Omerta guest" in run.stdout and b"root@guest:" in run.stdout, run.stdout)
    check("a status", ssh("guest", "exit 42").returncode == 42)
    # With no key: as the configuration has it, but for the file that holds the key.
    with open(os.environ["OM_SSH"], encoding="utf-8") as f:
        stranger = "".join(line for line in f if "IdentityFile" not in line)
    with open(os.environ["OM_SSH"] + ".stranger", "w", encoding="utf-8") as f:
        f.write(stranger)
    for config, option in (os.environ["OM_SSH"], "PreferredAuthentications=password"), \
            (os.environ["OM_SSH"] + ".stranger", "IdentityFile=/dev/null"):
        done = subprocess.run(["ssh", "-F", config, "-o", option, "guest", "true"], timeout=60,
                              check=False, capture_output=True, stdin=subprocess.DEVNULL)
        check("nobody else", done.returncode == 255 and b"Permission denied" in done.stderr,
              done.stderr)
    here = os.path.dirname(os.environ["OM_SSH"])
    data = os.urandom(5_000_000)
    with open(here + "/blob", "wb") as f:
        f.write(data)
    for names in (here + "/blob", "guest:/work/blob"), ("guest:/work/blob", here + "/back"):
        subprocess.run(["scp", "-q", "-F", os.environ["OM_SSH"], *names], check=True, timeout=60)
    want = hashlib.sha256(data).hexdigest()
    check("scp in", out("sha256sum /work/blob").startswith(want))
    with open(here + "/back", "rb") as f:
        check("scp out", f.read() == data)
    subprocess.run(["rsync", "-e", f"ssh -F {os.environ['OM_SSH']}", here + "/blob",
                    "guest:/work/blob2"], check=True, timeout=60)
    check("rsync", out("sha256sum /work/blob2").startswith(want))


def the_network_works():
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a page\n" * 1000)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://10.0.2.2:{server.server_port}/file"
    check("wget", out(f"wget -q -O - {url}") == "a page\n" * 1000)
    status, _, err = AGENT.run("sh", f"wget -O /dev/null http://10.0.2.2:{server.server_port + 1}/")
    check("wget that fails", status == 1 and b"refused" in err, (status, err))
    check("a name", AGENT.run("sh", "wget -O /dev/null http://no.invalid/")[0] == 1)
    check("its address", "inet 10.0.2.15/24" in out("ip addr show eth0"))
    check("IPv6 by RA", "inet6 fec0:" in out("ip addr show eth0"))
    check("a resolver", "nameserver 10.0.2.3" in out("cat /etc/resolv.conf"))
    if "python" in IMAGE["languages"]:
        program = f"import urllib.request as u; print(len(u.urlopen('{url}').read()))"
        check("urllib", out(program, "python") == "7000\n")
    server.shutdown()


def the_seed_was_read():
    check("write_files", out("cat /etc/of-the-seed; stat -c %a /etc/of-the-seed") == "$(id)\n600\n")
    wait = "until [ -e /run/ran ]; do usleep 50000; done; "
    check("runcmd", out(wait + "cat /run/ran") == "it's run\n")


def the_disk_is_the_work_folder():
    size = int(out("df -k /work | tail -n 1 | awk '{ print $2 }'"))
    check("its size", 1_900_000 < size < 2_100_000, size)
    check("its kind", " /work ext4 " in out("cat /proc/mounts"))
    check("root's home is on it", out("df /root | tail -n 1 | cut -d ' ' -f 1") ==
          out("df /work | tail -n 1 | cut -d ' ' -f 1"))
    out("head -c 150000000 /dev/zero >/work/more-than-the-memory")


def python_runs():
    modules = ("ssl json hashlib asyncio urllib.request ctypes decimal bz2 lzma readline curses "
               "csv subprocess multiprocessing unittest xml.dom.minidom http.server argparse "
               "zipfile tarfile logging email.message tomllib statistics fractions uuid zoneinfo "
               "concurrent.futures")
    check("modules", out(f"import {modules.replace(' ', ', ')}; print(1)", "python") == "1\n")
    status, _, err = AGENT.run("python", "raise SystemExit(3)")
    check("status", status == 3, err)
    check("a trace", b"ZeroDivisionError" in AGENT.run("python", "1 / 0")[2])


def main():
    steps = [jobs_have_output_and_a_status, output_comes_as_it_is_made, a_job_ends_whole,
             jobs_run_side_by_side, files_go_both_ways, words_it_does_not_know, a_host_comes_back,
             people_come_by_ssh, the_network_works, the_seed_was_read]
    steps += [the_disk_is_the_work_folder] if "--disk" in sys.argv else []
    steps += [python_runs] if "python" in IMAGE["languages"] else []
    for step in steps:
        start = time.monotonic()
        step()
        print(f"ok {step.__name__} ({time.monotonic() - start:.2f} s)", flush=True)


if __name__ == "__main__":
    main()
