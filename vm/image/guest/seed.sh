#!/usr/lib/omerta/sh
# seed.sh - what the NoCloud seed asks of this guest
#
#   seed.sh apply FOLDER   read user-data and meta-data (JSON) of the mounted seed; set the host
#                          name, the SSH keys and the files of write_files
#   seed.sh run            then run the commands of runcmd, in their order
#
# Of cloud-init's words: hostname, ssh_authorized_keys (at the top and of each of users: there is
# one user here, root), ssh_keys.ed25519_private, write_files (path, content, encoding b64 or
# gz+b64, permissions, append) and runcmd (strings and lists). seed.awk has made a file of each
# value, so none is ever read as shell: what is used here is "$(cat FILE)", nothing is evaluated.
# Tests set OM_ROOT, the folder that stands for /.
set -u
root=${OM_ROOT:-}
here=$(dirname "$0")
run=$root/run/seed
user=$run/user
SIZE_MAX=262144

say() { echo "seed: $*" >&2; }

# value NAME - the value, in $text; the dot keeps newlines at its end.
value() {
    text=
    [ -f "$user/$1" ] || return 1
    text=$(cat "$user/$1" && echo .)
    text=${text%.}
}
newline='
'

count() {
    n=0
    [ ! -f "$user/$1#" ] || n=$(cat "$user/$1#")
    echo "$n"
}

# parse FILE FOLDER - nothing of a text that is not whole and right.
parse() {
    rm -rf "$2"
    mkdir -p "$2" || return 1
    [ -f "$1" ] || return 1
    if [ "$(head -c $((SIZE_MAX + 1)) "$1" | wc -c)" -gt $SIZE_MAX ]; then
        say "$(basename "$1") is longer than $SIZE_MAX bytes: left out"
        return 1
    fi
    if [ "$(tr -d '\0' <"$1" | wc -c)" -ne "$(wc -c <"$1")" ]; then
        say "$(basename "$1") holds a zero byte: left out"
        return 1
    fi
    awk -v dir="$2" -f "$here/seed.awk" "$1" && return 0
    say "$(basename "$1") is no JSON: left out"
    rm -rf "$2"
    mkdir -p "$2"
    return 1
}

set_hostname() {
    value hostname || {
        user=$run/meta
        value local-hostname || text=
        user=$run/user
    }
    text=${text%"$newline"}
    case $text in
    '' | *[!A-Za-z0-9.-]* | -* | .*) return ;;
    esac
    [ ${#text} -le 63 ] || return
    echo "$text" >"$root/etc/hostname"
    echo "127.0.1.1 $text" >>"$root/etc/hosts"
    [ -n "$root" ] || hostname "$text"
}

# One line a key: a key of two lines would be two.
add_keys() {
    i=0
    n=$(count "$1")
    while [ "$i" -lt "$n" ]; do
        if value "$1.$i"; then
            text=${text%"$newline"}
            case $text in
            *"$newline"*) say "a key of more than one line: left out" ;;
            ssh-* | ecdsa-* | sk-*) echo "$text" >>"$root/root/.ssh/authorized_keys" ;;
            *) say "a key of no kind known: left out" ;;
            esac
        fi
        i=$((i + 1))
    done
}

set_keys() {
    (umask 077 && mkdir -p "$root/root/.ssh" && true >"$root/root/.ssh/authorized_keys")
    add_keys ssh_authorized_keys
    u=0
    users=$(count users)
    while [ "$u" -lt "$users" ]; do
        add_keys "users.$u.ssh_authorized_keys"
        u=$((u + 1))
    done
}

# dropbear has a form of its own for keys.
set_host_key() {
    [ -f "$user/ssh_keys.ed25519_private" ] || return 0
    mkdir -p "$root/etc/dropbear"
    if ! (umask 077 && dropbearconvert openssh dropbear "$user/ssh_keys.ed25519_private" \
        "$root/etc/dropbear/host_key" >"$run/convert" 2>&1); then
        say "the host key cannot be read: $(tail -n 1 "$run/convert")"
        rm -f "$root/etc/dropbear/host_key"
    fi
}

content() {
    case $2 in
    b64 | base64) base64 -d "$1" ;;
    gz+b64 | gz+base64 | gzip+base64) base64 -d "$1" | gzip -dc ;;
    *) cat "$1" ;;
    esac
}

# write_file NUMBER
write_file() {
    from=$user/write_files.$1
    value "write_files.$1.path" || return 1
    path=${text%"$newline"}
    case $path in
    *"$newline"* | */) return 1 ;;
    /?*) path=$root$path ;;
    *) return 1 ;;
    esac
    mode=0644
    if value "write_files.$1.permissions"; then
        case $text in
        [0-7][0-7][0-7] | [0-7][0-7][0-7][0-7]) mode=$text ;;
        esac
    fi
    encoding=
    value "write_files.$1.encoding" && encoding=$text
    [ -f "$from.content" ] || true >"$from.content"
    mkdir -p "$(dirname "$path")" || return 1
    content "$from.content" "$encoding" >"$run/content" || return 1
    if value "write_files.$1.append" && [ "$text" = true ]; then
        cat "$run/content" >>"$path" || return 1
    else
        cat "$run/content" >"$path" || return 1
    fi
    rm -f "$run/content"
    chmod "$mode" "$path"
}

write_files() {
    i=0
    n=$(count write_files)
    while [ "$i" -lt "$n" ]; do
        write_file "$i" || say "file $i of write_files: left out"
        i=$((i + 1))
    done
}

# run_one NUMBER - a string is a script; a list is a program and its arguments.
run_one() {
    if [ -f "$user/runcmd.$1" ]; then
        sh "$user/runcmd.$1"
        return
    fi
    args=$(count "runcmd.$1")
    [ "$args" -gt 0 ] || return 0
    which=$1
    set --
    j=0
    while [ "$j" -lt "$args" ]; do
        value "runcmd.$which.$j" || text=
        set -- "$@" "$text"
        j=$((j + 1))
    done
    "$@"
}

run_commands() {
    i=0
    n=$(count runcmd)
    cd "$root/" || return
    while [ "$i" -lt "$n" ]; do
        # Each in a shell of its own: none changes another's variables, nor this one's.
        (run_one "$i") </dev/null || say "command $i of runcmd: exit $?"
        i=$((i + 1))
    done
}

case ${1:-} in
apply)
    umask 077
    mkdir -p "$run"
    umask 022
    parse "$2/meta-data" "$run/meta" || true
    parse "$2/user-data" "$user" || true
    set_hostname
    set_keys
    set_host_key
    write_files
    ;;
run) run_commands ;;
*)
    echo "usage: seed.sh apply FOLDER | run" >&2
    exit 2
    ;;
esac
