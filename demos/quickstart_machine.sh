# shellcheck shell=bash disable=SC2154 # what it reads is set where it is sourced
# quickstart_machine.sh - ann lends ben a machine: asked for, used, tried to get out of, given back
#
# Sourced after demo.sh and quickstart_stages.sh, in the folder $demo_work, once ann and ben meet
# and an image is in ann's home. quick_lan has a line "ADDRESS PORT WHOSE" for each page that ann's
# machine reaches and ben's virtual one must not.

quick_offered() {
    demo_quiet ben providers --json | grep -q '"mini"'
}

quick_lend() {
    quick_stage "A machine of ann's for ben"
    demo_say ann provide on --vms 2 --cpu 2 --memory 1G --disk 2G --to ben
    demo_until quick_offered || true
    demo_say ben providers
    demo_check "ben sees that ann lends, and on what machines would run" \
        grep -Eq 'ann +(kvm|tcg) ' said
    mkdir his hers private
    echo 'a page of ben, for his machine' >his/index.html
    echo 'a page of ben, for himself' >private/index.html
    echo 'a page of ann, for herself' >hers/index.html
    demo_host=ben demo_web "$demo_work/his" 127.0.0.1
    quick_his=$demo_port
    demo_host=ben demo_web "$demo_work/private" 127.0.0.1
    quick_private=$demo_port
    demo_host=ann demo_web "$demo_work/hers" 0.0.0.0
    quick_hers=$demo_port
    printf '\nHe asks for one, which may reach port %s of his, and nothing else:\n' "$quick_his"
    demo_say ben vm request --provider ann --name lab --memory 192M --disk 256M \
        --expose "$quick_his" --wait || demo_fail "there is no machine"
    demo_check "it runs" grep -q 'running' said
    demo_check "as a process of ann's, in a folder of hers" quick_is_told "$demo_work/ann/vms/"
    demo_say ben vm ssh lab uname -a || true
    demo_check "a command by SSH, through the mesh, into a kernel of its own" \
        grep -q '^Linux vm-' said
    demo_check "that kernel is not this one" demo_not grep -qF "$(uname -r)" said
    head -c 1000000 /dev/urandom >file
    demo_say ben vm cp file lab: || true
    quick_hash=$(sha256sum <file)
    demo_check "a file is there as it was here" \
        test "$(demo_quiet ben vm ssh lab 'sha256sum <file' </dev/null)" = "$quick_hash"
}

# What the machine shall not reach: quick_tried COMMAND WHAT
quick_tried() {
    demo_fails ben vm ssh lab "$1 2>&1"
    demo_check "$2: nothing" test "$demo_code" -ne 0
    demo_check "and no page came" demo_not grep -q 'a page of' said
}

quick_isolated() {
    local gateway each address port whose
    quick_stage "What it reaches"
    gateway=$(demo_quiet ben vm ssh lab "ip route" </dev/null |
        sed -n 's/^default via \([0-9.]*\).*/\1/p')
    printf 'From inside, as root: a port of its consumer, and then whatever else there is.\n'
    demo_say ben vm ssh lab "wget -q -O - http://$gateway:$quick_his/" || true
    demo_check "it reaches the port that ben exposed" grep -q 'for his machine' said
    quick_tried "wget -q -O - http://$gateway:$quick_private/" "another port of ben's"
    demo_check "which is there (control)" \
        demo_at ben curl -sSf -o page "http://127.0.0.1:$quick_private/"
    quick_tried "wget -q -O - http://$gateway:$quick_hers/" "ann's port at the gateway"
    for each in "${quick_lan[@]}"; do
        read -r address port whose <<<"$each"
        [ "$port" != hers ] || port=$quick_hers
        quick_tried "wget -q -O - http://$address:$port/" "$whose at $address"
        demo_check "which ann's machine reads (control)" \
            demo_at ann curl -sSf --noproxy '*' -o page "http://$address:$port/"
    done
    quick_tried "wget -q -O - http://169.254.169.254/" "a cloud's metadata"
    quick_tried "nslookup -timeout=2 deb.debian.org" "names of the internet, which nobody asked for"
    quick_tried "ip address add 192.0.2.99/32 dev eth0; ping -c 3 -W 1 -I 192.0.2.99 $gateway" \
        "a packet under another address"
    demo_say ann vm traffic | sed '3,${/^$/,$d}' || true
    demo_check "ann has counted what was forged" grep -Eq '^refused +[1-9]' said
}

quick_job() {
    quick_stage "A job"
    cat >job.sh <<'END'
echo "this is $(uname -s) as $(id -un)"
sha256sum <file >sum
END
    printf 'A program with a file in and one out, in a machine that lives as long as it:\n\n'
    sed 's/^/    /' job.sh
    mkdir out
    demo_say ben submit --provider ann --memory 192M --script @job.sh --file file --output sum \
        --into out || true
    demo_check "what it says came" grep -q 'this is Linux as root' said
    demo_check "and what it made" test "$(cat out/sum)" = "$quick_hash"
}

quick_gone() {
    [ -z "$(ls -A ann/vms)" ] && ! quick_is_told "$demo_work/ann/vms/"
}

# Does NAME know of a machine, its own or another's?
quick_has_machine() {
    demo_quiet "$1" vm list --json | grep -q '"vm": "'
}

quick_back() {
    local name
    quick_stage "Back to ann"
    for name in ben ann; do
        demo_check "$name knows of it" quick_has_machine $name
    done
    demo_say ben vm release lab || true
    for name in ben ann; do
        demo_say $name vm list || true
        demo_check "$name knows of no machine any more" \
            demo_until demo_not quick_has_machine $name
    done
    demo_check "no disk, no key, no socket and no process of it is left" demo_until quick_gone
}

quick_machine() {
    quick_lend
    quick_isolated
    quick_job
    quick_back
}
