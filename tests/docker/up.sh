#!/bin/sh
# A Docker Engine on a Debian machine, and the base image that test images are made from.
# Does only what is missing; `just docker-up` runs it. The base is made on the spot, so that
# nothing has to be pulled. Exit status 3: this machine can't have an engine, and why.
set -eu
NAME=docker-up
. "$(dirname "$0")/../debian.sh"

BASE=${REPLIQUANT_TEST_BASE:-repliquant-test-base:bookworm}
LOG=${TMPDIR:-/tmp}/repliquant-dockerd.log

answers() {
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

start_engine() {
    answers && return
    [ "$(id -u)" = 0 ] || fail "no engine answers, and only root can start one"
    rm -f /var/run/docker.pid
    # Without what else is open here: a lock that the caller holds would be held for as long.
    setsid dockerd >"$LOG" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
    for _ in $(seq 60); do
        answers && return
        sleep 0.5
    done
    tail -n 5 "$LOG" >&2
    fail "dockerd does not answer after 30 s; its last lines are above, all of them in $LOG"
}

# g++ and python3-dev are there for torch.compile, as in an image that can install packages.
make_base() {
    docker image inspect "$BASE" >/dev/null 2>&1 && return
    echo "docker-up: making $BASE (about two minutes)" >&2
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,g++,python3-dev \
        bookworm "$folder" >"$LOG.debootstrap" 2>&1 ||
        { tail -n 5 "$LOG.debootstrap" >&2; fail "debootstrap could not make a base"; }
    rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/usr/share/doc/*
    tar -C "$folder" -c . | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$BASE" >/dev/null
}

want dockerd "docker.io iptables"
want debootstrap debootstrap
install_missing
start_engine
make_base
echo "docker-up: Engine $(docker version --format '{{.Server.Version}}'), base $BASE"
