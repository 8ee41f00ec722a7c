#!/bin/bash
# mirror.sh - does a mirror of Debian's answer this machine? Exit 0: yes; 1: no, with apt's words.
# Asks with the system's own sources and nothing of vm/image, so that an error there is no excuse.
set -euo pipefail
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
timeout 60 apt-get -qq update -o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache" \
    -o APT::Sandbox::User= -o Debug::NoLocking=1 -o APT::Update::Error-Mode=any
