"""banned: calls that overrun, reach for the world from a floor without I/O, or make a test depend
on the machine's clock; and words that promise work in the code instead of the plan."""

import re

from floors import PURE

EVERYWHERE = (
    "alloca gets sprintf stpcpy strcat strcpy strtok vsprintf",
    "want a bounded twin: snprintf, om_buf, a cursor",
)
WORLD = (
    "arc4random arc4random_buf arc4random_uniform clock clock_gettime drand48 fopen fprintf fputc"
    " fputs freopen fwrite getenv getrandom gettimeofday localtime localtime_r lrand48 perror"
    " printf putchar puts rand rand_r random randombytes randombytes_buf randombytes_random"
    " randombytes_uniform secure_getenv setenv srand srandom time vfprintf vprintf",
    "want it as an argument: om_time, struct om_rng, struct om_log",
)
GLOBAL_KEYS = re.compile(r"(?<![\w.>])(crypto_\w+?_key(?:pair|gen))\s*\(")
TEST_TIME = (
    "clock clock_gettime gettimeofday nanosleep rand random sleep srand time usleep",
    "want virtual time and a seed",
)
TEST_TIME_ALSO = {"tests/sim/main.c": ["clock_gettime"]}  # reports CPU time, decides nothing by it
VIRTUAL = ["tests/unit/", "tests/model/", "tests/sim/", "tests/fuzz/"]

# Split so that this file does not find itself.
WORDS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
LICENCE = re.compile("|".join(["SP" + "DX", "Licensed" + " under", "Copy" + "right"]))
SOURCE = (".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt", ".scn", ".js", ".css", ".html")


def calls(names):
    return re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")


def check(tree):
    findings = []
    for path in tree.select(".c", ".h"):
        rules = [EVERYWHERE]
        if path.startswith("mesh/include/") or any(path.startswith(f + "/") for f in PURE):
            rules.append(WORLD)
        if any(path.startswith(f) for f in VIRTUAL):
            rules.append(TEST_TIME)
        code = tree.source(path).code
        for names, wanted in rules:
            names = [n for n in names.split() if n not in TEST_TIME_ALSO.get(path, ())]
            findings += hits(path, code, calls(names), wanted)
        if WORLD in rules:
            findings += hits(path, code, GLOBAL_KEYS, "want a seed from struct om_rng",
                             keep="_seed_keypair")
    for path in tree.select(*SOURCE):
        text = tree.text(path)
        findings += hits(path, text, WORDS, "want an entry in plans/ or the work done", call="")
        findings += hits(path, text, LICENCE, "want no licence line in a file", call="")
    return findings


def hits(path, text, pattern, wanted, call="()", keep=None):
    for found in pattern.finditer(text):
        name = found.group(found.lastindex or 0)
        if not (keep and name.endswith(keep)):
            yield path, text.count("\n", 0, found.start()) + 1, f"{name}{call}: {wanted}"
