"""Programs that know nothing of the mesh, through its tunnels: curl, OpenSSH, iperf3, git."""

import concurrent.futures
import hashlib
import json
import os
import subprocess

import pytest

import servers
from commands import environment_of
from daemon import program, wait_until
from tunnel_pair import connect, exactly, expose, forward, proxy, two  # noqa: F401

MB = 1000 * 1000
BIG = 100 * MB
PARALLEL = 200


def ran(*argv, seconds=120, **options):
    """@argv to its end, which must be good; what it printed."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds, check=False,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, (argv, done.returncode, done.stdout[-500:], done.stderr[-2000:])
    return done.stdout


def random_file(path, size):
    """A file of @size random bytes; its hash."""
    with open(path, "wb") as file:
        for _ in range(0, size, MB):
            file.write(os.urandom(MB))
    return hash_of(path)


def hash_of(path):
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture
def site(two, folder):
    """ann's web server with one big file: (ann, ben, its port, the file's hash)."""
    ann, ben = two
    os.mkdir(os.path.join(folder, "site"))
    wanted = random_file(os.path.join(folder, "site", "big"), BIG)
    with servers.web(os.path.join(folder, "site")) as port:
        expose(ann, str(port), "--to", "ben")
        yield ann, ben, port, wanted


def test_curl(site, folder):
    curl = servers.need_program("curl")
    ann, ben, port, wanted = site
    local, _ = forward(ben, f"0:ann:{port}")
    sixth, _ = forward(ben, f"[::1]:0:ann:{port}")
    at = proxy(ben)
    ways = {
        "forward": [f"http://127.0.0.1:{local}/big"],
        "forward of ::1": [f"http://[::1]:{sixth}/big"],
        "SOCKS5": ["--proxy", f"socks5h://127.0.0.1:{at}", f"http://ann.omerta:{port}/big"],
        "CONNECT": ["-p", "--proxy", f"http://127.0.0.1:{at}",
                    f"http://{ann.self_id()}.default.omerta:{port}/big"],
    }
    for way, words in ways.items():
        path = os.path.join(folder, "got")
        speed = ran(curl, "-sS", "--fail", "--noproxy", "", "-w", "%{speed_download}", "-o", path,
                    *words)
        assert hash_of(path) == wanted, way
        print(f"{way}: {float(speed) / MB:.0f} MB/s")


@pytest.fixture
def login(two, folder):
    """sshd on ann's side that lets ben in: (ann, ben, the Sshd)."""
    ann, ben = two
    sshd = servers.Sshd(os.path.join(folder, "sshd"), ben.home)
    with servers.running(sshd.argv(), sshd.port) as process:
        expose(ann, str(sshd.port), "--to", "ben")
        yield ann, ben, sshd
        assert process.poll() is None


def omerta(daemon, *argv, seconds=120):
    """omerta @argv of that daemon's user, which must succeed."""
    return ran(program("omerta"), *argv, seconds=seconds, env=environment_of(daemon.home))


def test_ssh(login):
    ann, ben, sshd = login
    port = str(sshd.port)
    assert omerta(ben, "ssh", "-p", port, f"{sshd.user}@ann", "echo", "$((6*7))") == "42\n"
    # Its host key is known from now on, under the name it was called by.
    known = os.path.join(ben.home, "ssh", "known_hosts")
    assert "found" in ran("ssh-keygen", "-F", f"[ann]:{port}", "-f", known)
    said = subprocess.run([program("omerta"), "ssh", "-p", port, f"{sshd.user}@{ann.self_id()}",
                           "cat; exit 7"], input=b"x" * MB, capture_output=True, timeout=60,
                          check=False, env=environment_of(ben.home))
    assert said.returncode == 7 and len(said.stdout) == MB, said.stderr


def test_ssh_words_are_those_of_ssh(login):
    _, ben, sshd = login
    port, whom = str(sshd.port), f"{sshd.user}@ann"
    # Options end at the peer, but ssh's own may follow it.
    assert omerta(ben, "ssh", "-p", port, whom, "echo", "-n", "a  b", "--", "c") == "a b -- c"
    assert omerta(ben, "ssh", whom, "-p", port, "echo", "-n", "x") == "x"
    assert omerta(ben, "ssh", "-p", port, whom, "--", "-T", "echo", "y") == "y\n"
    for bad in ("root@", "@ann", "@"):
        code, _, err = ben.cli("ssh", bad)
        assert code == 2 and f'"{bad}": want [USER@]PEER' in err, err


def test_ssh_goes_to_the_network_that_is_named(login, folder):
    _, ben, sshd = login
    port, whom = str(sshd.port), f"{sshd.user}@ann"
    words = ["--network", "default", "-p", port, whom, "echo", "$((6*7))"]
    assert omerta(ben, "ssh", *words) == "42\n"
    folder_of_keys = os.path.join(ben.home, "ssh")
    assert "found" in ran("ssh-keygen", "-F", f"[ann]:{port}", "-f",
                          os.path.join(folder_of_keys, "known_hosts.default"))
    assert not os.path.exists(os.path.join(folder_of_keys, "known_hosts"))
    said = ben.cli("nc", "--network", "nothing", "ann", port)
    assert said[0] == 4 and said == ben.cli("ssh", "--network", "nothing", "-p", port, whom, "true")
    here = os.path.join(folder, "here")
    random_file(here, MB)
    assert said == ben.cli("cp", "--network", "nothing", here, f"{whom}:there")


def test_ssh_from_a_home_with_odd_letters(login, folder):
    _, ben, sshd = login
    odd = os.path.join(folder, "it's 100")
    os.symlink(ben.home, odd)
    words = ["ssh", "-p", str(sshd.port), f"{sshd.user}@ann", "echo", "there"]
    assert omerta(ben, "--home", odd, *words) == "there\n"
    os.symlink(ben.home, os.path.join(folder, 'a"b'))
    code, _, err = ben.cli("--home", os.path.join(folder, 'a"b'), *words)
    assert code == 1 and 'a"b: ssh cannot use a path' in err, err


def test_another_host_key_is_not_taken(login, folder):
    _, ben, sshd = login
    words = ["ssh", "-p", str(sshd.port), f"{sshd.user}@ann", "true"]
    omerta(ben, *words)
    known = os.path.join(ben.home, "ssh", "known_hosts")
    servers.keygen(os.path.join(folder, "other"))
    with open(known, encoding="utf-8") as file:
        host = file.read().split()[0]
    with open(os.path.join(folder, "other.pub"), encoding="utf-8") as file:
        other = " ".join(file.read().split()[:2])
    with open(known, "w", encoding="utf-8") as file:
        file.write(f"{host} {other}\n")
    code, _, err = ben.cli(*words)
    assert code == 255 and "HOST IDENTIFICATION HAS CHANGED" in err, err


def test_cp(login, folder):
    _, ben, sshd = login
    here, there, back = (os.path.join(folder, name) for name in ("here", "there", "back"))
    wanted = random_file(here, BIG)
    port = str(sshd.port)
    omerta(ben, "cp", "-p", port, here, f"{sshd.user}@ann:{there}")
    assert hash_of(there) == wanted
    omerta(ben, "cp", "-p", port, f"{sshd.user}@ann:{there}", back)
    assert hash_of(back) == wanted
    os.makedirs(os.path.join(folder, "tree", "below"))
    random_file(os.path.join(folder, "tree", "below", "leaf"), MB)
    omerta(ben, "cp", "-r", "-p", port, os.path.join(folder, "tree"),
           f"{sshd.user}@ann:{folder}/copy")
    assert hash_of(os.path.join(folder, "copy", "below", "leaf")) == hash_of(
        os.path.join(folder, "tree", "below", "leaf"))


def not_busy(said):
    """What iperf3 said, if its server was not still at the end of the test before."""
    return None if "busy" in said.get("error", "") else said


def test_iperf3(two):
    iperf3 = servers.need_program("iperf3")
    ann, ben = two
    port = servers.free_tcp_port()
    with servers.running([iperf3, "-s", "-p", str(port), "-B", "127.0.0.1"], port):
        expose(ann, str(port), "--to", "ben")
        local, _ = forward(ben, f"0:ann:{port}")
        for way in ([], ["-R"]):
            words = [iperf3, "-c", "127.0.0.1", "-p", str(local), "-t", "2", "-J", *way]
            said = wait_until(lambda w=words: not_busy(json.loads(ran(*w))), 10)
            assert said and "error" not in said, said
            rate = said["end"]["sum_received"]["bits_per_second"] / 1e6
            print(f"iperf3 {way}: {rate:.0f} Mb/s")
            assert rate > 10


def test_git_clone(two, folder):
    git = servers.need_program("git")
    ann, ben = two
    bare, port = os.path.join(folder, "repos", "project.git"), servers.free_tcp_port()
    work = os.path.join(folder, "work")
    quiet = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    ran(git, "init", "-q", work, env=quiet)
    random_file(os.path.join(work, "file"), 20 * MB)
    ran(git, "-C", work, "add", ".", env=quiet)
    ran(git, *who, "-C", work, "commit", "-q", "-m", "first", env=quiet)
    ran(git, "clone", "-q", "--bare", work, bare, env=quiet)
    # git itself would leave its child behind when it is killed.
    program_of_git = os.path.join(ran(git, "--exec-path").strip(), "git-daemon")
    serve = [program_of_git, "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}",
             f"--base-path={folder}/repos"]
    with servers.running(serve, port, env=quiet):
        expose(ann, f"9418:127.0.0.1:{port}", "--to", "ben")
        local, _ = forward(ben, "0:ann:9418")
        copy = os.path.join(folder, "copy")
        ran(git, "clone", "-q", f"git://127.0.0.1:{local}/project.git", copy, env=quiet)
    assert hash_of(os.path.join(copy, "file")) == hash_of(os.path.join(work, "file"))


def test_many_at_once(two):
    ann, ben = two
    with servers.serving(servers.echo) as port:
        expose(ann, str(port), "--to", "ben")
        local, _ = forward(ben, f"0:ann:{port}")
        held = []

        def begin(number):
            """One more, whose first words come back."""
            s = connect(local)
            s.sendall(b"%08d" % number)
            assert exactly(s, 8) == b"%08d" % number
            return s

        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            held = list(pool.map(begin, range(PARALLEL)))
            row = ben.rpc("forward.list")["forwards"][0]
            assert row["open"] == PARALLEL and row["failed"] == 0, row
            data = os.urandom(100_000)

            def go_on(s):
                """All of them carry more, while all are open."""
                s.sendall(data)
                return exactly(s, len(data)) == data

            assert all(pool.map(go_on, held))
        for s in held:
            s.close()
