# shellcheck shell=bash
# setup.sh - for tests/run.sh and demos/quickstart.sh: packages, steps with their time, a build
#
# Sourced, from the repository's root. A step prints one line; what its command said goes to a file
# below build/log, and is shown when it failed.

# Names of the packages that a run of kind $1 (demo, all, full) needs and this machine lacks.
om_missing_packages() {
    local wanted there
    wanted=$(awk -v kind="$1" 'BEGIN { of["demo"] = 1; of["all"] = 2; of["full"] = 3 }
        $1 in of && of[$1] <= of[kind] { print $2 }' tests/packages.txt)
    # It fails when it does not know one of the names: that is the answer, not an error.
    # shellcheck disable=SC2086 # one argument a package
    there=$({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null || true; } |
        sed -n 's/^installed //p')
    comm -23 <(sort -u <<<"$wanted") <(sort -u <<<"$there")
}

# As root directly, else through sudo; om_install has let it ask for a password already.
om_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

# May this user become root without being asked anything?
om_may_install() {
    if [ "$(id -u)" -eq 0 ]; then
        return 0
    fi
    command -v sudo >/dev/null || return 1
    # Here its question can be seen and answered; without a terminal it is not asked.
    if [ -t 0 ]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

om_apt() {
    om_as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

# Installs what a run of kind $1 lacks; asks no server anything when it lacks nothing.
om_install() {
    local names
    if ! command -v dpkg-query >/dev/null; then
        echo "this is no Debian: install what tests/packages.txt lists, then use --no-install" >&2
        return 1
    fi
    names=$(om_missing_packages "$1" | tr '\n' ' ') || return 1
    if [ -z "$names" ]; then
        return 0
    fi
    if ! om_may_install; then
        echo "Packages are missing, and this user may not install them. As root:" >&2
        echo "  apt-get update && apt-get install --no-install-recommends $names" >&2
        return 1
    fi
    # shellcheck disable=SC2086 # one argument a package
    om_step "package index" om_apt update &&
        om_step "packages: $names" om_apt install --no-install-recommends $names
}

# om_step NAME COMMAND... - one line with the time it took; on failure the end of what it said.
om_step() {
    local name=$1 start=$EPOCHREALTIME log
    shift
    mkdir -p build/log
    log=build/log/$(tr -cs 'a-z0-9\n' '-' <<<"${name%%:*}").txt
    printf '%s ... ' "$name"
    if "$@" >"$log" 2>&1 </dev/null; then
        om_elapsed "$start"
        return 0
    fi
    echo "FAILED after $(om_elapsed "$start"); the end of $log:"
    tail -n 60 "$log"
    return 1
}

# Seconds since $1 (an EPOCHREALTIME), with one decimal.
om_elapsed() {
    local now=$EPOCHREALTIME
    local tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
    echo "$((tenths / 10)).$((tenths % 10)) s"
}

# Names what a run of kind $1 lacks, for those who said that nothing shall be installed.
om_name_missing() {
    local names
    if command -v dpkg-query >/dev/null; then
        names=$(om_missing_packages "$1" | tr '\n' ' ') || return 1
        [ -z "$names" ] || echo "not installed, of tests/packages.txt: $names" >&2
    fi
}

# om_build PRESET TARGETS [CMAKE_OPTION...] - fetch lwIP, configure, build TARGETS, words of one
# argument.
om_build() {
    local preset=$1 targets=$2
    shift 2
    if [ -z "${OM_LWIP_DIR:-}" ] && [ ! -f build/lwip/src/.fetched ]; then
        om_step "source of lwip" netstack/lwip/fetch.sh build/lwip || return 1
    fi
    # shellcheck disable=SC2086 # one argument a target
    om_step "configure $preset" cmake --preset "$preset" -DOM_WERROR=ON "$@" &&
        om_step "build $preset" cmake --build --preset "$preset" -j "$(nproc)" --target $targets
}
