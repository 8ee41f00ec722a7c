"""packages: tests/packages.txt lists a package for each program that a script looks for and each
library that cmake looks for, so that nothing is skipped, and nothing fails, on a bare Debian.

What is looked for is read from the forms in use: "command -v NAME", "for tool in NAME...",
shutil.which("NAME"), need_program("NAME"), pkg_check_modules(... NAME>=VERSION). Rivals that
tests/bench compares with are its own to install. Demos, and what they run, ask for no package of
the tests alone.
"""

import re

from source import line_of

LIST = "tests/packages.txt"
KINDS = ("demo", "all", "full")
# The folders whose scripts a demo runs.
FOR_DEMOS = ("demos/", "netstack/", "vm/image/build.sh", "tests/setup.sh",
             "tests/lab/omerta_lab.py")
ESSENTIAL = set("apt-get apt-cache bash chroot dpkg-deb dpkg-query flock setpriv sha256sum sudo"
                " unshare".split())
OURS = {"omerta", "omerta-meshd"}
PROGRAMS = {
    "bsdtar": "libarchive-tools",
    "busybox": "busybox",
    "clang-format": "clang-format",
    "clang-tidy": "clang-tidy",
    "cpack": "cmake",
    "cc": "gcc",
    "curl": "curl",
    "gcore": "gdb",
    "dig": "bind9-dnsutils",
    "dpkg-shlibdeps": "dpkg-dev",
    "dpkg-source": "dpkg-dev",
    "ethtool": "ethtool",
    "fakeroot": "fakeroot",
    "genisoimage": "genisoimage",
    "git": "git",
    "ip": "iproute2",
    "iperf3": "iperf3",
    "lz4": "lz4",
    "miniupnpd": "miniupnpd-nftables",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "musl-gcc": "musl-tools",
    "newuidmap": "uidmap",
    "nft": "nftables",
    "python3": "python3",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "rsync": "rsync",
    "scp": "openssh-client",
    "shellcheck": "shellcheck",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "systemd-analyze": "systemd",
    "tcpdump": "tcpdump",
    "valgrind": "valgrind",
}
LIBRARIES = {
    "cmocka": "libcmocka-dev",
    "jansson": "libjansson-dev",
    "libarchive": "libarchive-dev",
    "libcap-ng": "libcap-ng-dev",
    "libcares": "libc-ares-dev",
    "libcrypto": "libssl-dev",
    "libmicrohttpd": "libmicrohttpd-dev",
    "libmnl": "libmnl-dev",
    "libqrencode": "libqrencode-dev",
    "libseccomp": "libseccomp-dev",
    "libsodium": "libsodium-dev",
    "libuv": "libuv1-dev",
    "miniupnpc": "libminiupnpc-dev",
    "smartcols": "libsmartcols-dev",
    "sqlite3": "libsqlite3-dev",
}
SHELL = (re.compile(r"\bcommand -v ([\w.-]+)"),
         re.compile(r"^\s*for (?:tool|program) in ((?:[\w.-]+|\\\n|[ \t])+)", re.M))
PYTHON = (re.compile(r"\bshutil\.which\(\"([\w.-]+)\""),
          re.compile(r"\bneed_program\(\"([\w.-]+)\""),
          re.compile(r"\bfor (?:tool|program) in [(\[]([^)\]]*)[)\]]"),
          re.compile(r"\btools \+?= \[([^\]]*)\]"))
CMAKE = re.compile(r"\bpkg_check_modules\(\w+ [A-Z_ ]*\b([\w.-]+?)(?:>=[\d.]+)?\)")


def listed(tree, findings):
    """{package: kind} of the list; what is wrong with the list goes to @findings."""
    found = {}
    for number, line in enumerate(tree.text(LIST).split("\n"), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[0] not in KINDS:
            findings.append((LIST, number, f'want one of {", ".join(KINDS)}, and a package'))
        elif words[1] in found:
            findings.append((LIST, number, f"{words[1]}: is there already"))
        else:
            found[words[1]] = words[0]
    return found


def sought(tree):
    """(path, line, name, package or None) of all that is looked for."""
    for path in tree.select(".sh", ".py", "CMakeLists.txt", ".cmake"):
        if path.startswith(("tests/bench/", "tests/lint/")) and path.endswith(".py"):
            continue  # rivals, and these very forms
        text = tree.text(path)
        is_cmake = path.endswith((".txt", ".cmake"))
        table = LIBRARIES if is_cmake else PROGRAMS
        forms = (CMAKE,) if is_cmake else SHELL if path.endswith(".sh") else PYTHON
        for form in forms:
            for hit in form.finditer(text):
                for name in re.findall(r"[\w.-]+", hit.group(1)):
                    if name not in ESSENTIAL | OURS:
                        yield path, line_of(text, hit.start(1)), name, table.get(name)


def check(tree):
    findings = []
    if LIST not in tree.paths:
        return [(LIST, 1, "is missing")]
    packages = listed(tree, findings)
    for path, line, name, package in sought(tree):
        if package is None:
            findings.append((path, line, f"{name}: want its package in tests/lint/packages.py"))
        elif package not in packages:
            findings.append((path, line, f"{name}: want {package} in {LIST}"))
        elif path.startswith(FOR_DEMOS) and packages[package] != "demo":
            findings.append((path, line, f'{name}: want {package} as "demo" in {LIST}'))
    return findings
