#!/bin/sh
# Podman's service on a Debian machine, as root and as an ordinary user made for it, for the tests;
# `just podman-up` runs it. Does only what is missing. The base image comes from a Docker Engine
# that has it (`just docker-up`), else it is made as there. Exit status 3: this machine can't have
# it, and why.
set -eu
NAME=podman-up
. "$(dirname "$0")/../debian.sh"

BASE=${REPLIQUANT_TEST_BASE:-repliquant-test-base:bookworm}
STATE=/var/lib/repliquant-podman
USER_NAME=repliquant-podman
ROOTFUL=/run/podman/podman.sock

# A machine without systemd has neither its control groups nor its journal. runc, since crun 1.8
# refuses control groups of version 1 beside an empty hierarchy of version 2.
configure() {
    mkdir -p "$STATE"
    cat >"$STATE/containers.conf" <<'CONF'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
CONF
    # Without this word a user's Podman that finds no /dev/fuse copies the image for each container.
    printf '[storage]\ndriver = "overlay"\n' >"$STATE/storage.conf"
    chmod -R a+rX "$STATE"
}

make_user() {
    id "$USER_NAME" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$USER_NAME"
    grep -q "^$USER_NAME:" /etc/subuid 2>/dev/null ||
        usermod --add-subuids 400000-465535 --add-subgids 400000-465535 "$USER_NAME"
    RUNTIME=/run/user/$(id -u "$USER_NAME")
    ROOTLESS=$RUNTIME/podman/podman.sock
    mkdir -p "$RUNTIME/podman"
    chown -R "$USER_NAME": "$RUNTIME"
    chmod 700 "$RUNTIME"
}

# A service outlives the folder that it was started from, and then no container starts.
as_root() {
    (cd / && CONTAINERS_CONF="$STATE/containers.conf" "$@")
}

as_user() {
    home=$(getent passwd "$USER_NAME" | cut -d: -f6)
    (cd "$home" && setpriv --reuid "$USER_NAME" --regid "$USER_NAME" --init-groups env -i \
        PATH="$PATH" HOME="$home" XDG_RUNTIME_DIR="$RUNTIME" \
        CONTAINERS_CONF="$STATE/containers.conf" \
        CONTAINERS_STORAGE_CONF="$STATE/storage.conf" "$@")
}

# Without what else is open here: a lock that the caller holds would be held for as long.
start() { # as_root or as_user, socket, log
    podman --url "unix://$2" version >/dev/null 2>&1 && return
    rm -f "$2"
    (
        # For good: a shell keeps what it would give back after a function.
        exec >"$3" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        "$1" setsid podman system service --time=0 "unix://$2"
    ) &
    for _ in $(seq 60); do
        podman --url "unix://$2" version >/dev/null 2>&1 && return
        sleep 0.5
    done
    tail -n 5 "$3" >&2
    fail "Podman does not answer at $2 after 30 s; its last lines are above, all of them in $3"
}

base_archive() {
    [ -f "$STATE/base.tar" ] && return
    if docker image inspect "$BASE" >/dev/null 2>&1; then
        docker save "$BASE" -o "$STATE/base.tar.new"
    else
        folder=$(mktemp -d)
        trap 'rm -rf "$folder"' EXIT
        debootstrap --variant=minbase \
            --include=python3,python3-venv,ca-certificates,g++,python3-dev \
            bookworm "$folder" >"$STATE/debootstrap.txt" 2>&1 ||
            { tail -n 5 "$STATE/debootstrap.txt" >&2; fail "debootstrap could not make a base"; }
        rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/usr/share/doc/*
        tar -C "$folder" -c . | as_root podman import --quiet \
            --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
            - "docker.io/library/$BASE" >/dev/null
        as_root podman save --quiet "docker.io/library/$BASE" -o "$STATE/base.tar.new"
    fi
    chmod a+r "$STATE/base.tar.new"
    mv "$STATE/base.tar.new" "$STATE/base.tar"
}

load_base() { # as_root or as_user
    "$1" podman image exists "$BASE" && return
    base_archive
    "$1" podman load --quiet -i "$STATE/base.tar" >/dev/null || fail "Podman can't load $BASE"
}

[ "$(id -u)" = 0 ] || fail "must be root"
want podman podman
want runc runc
want newuidmap uidmap
want fuse-overlayfs fuse-overlayfs
want slirp4netns slirp4netns
want debootstrap debootstrap
install_missing
configure
make_user
mkdir -p "${ROOTFUL%/*}"
start as_root "$ROOTFUL" "$STATE/rootful.txt"
load_base as_root
echo "podman-up: Podman $(podman --version | cut -d' ' -f3), rootful at $ROOTFUL, base $BASE"
start as_user "$ROOTLESS" "$STATE/rootless.txt"
load_base as_user
rm -f "$STATE/base.tar"
echo "podman-up: rootless at $ROOTLESS ($USER_NAME), base $BASE"
