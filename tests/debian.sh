# Sourced by the scripts that set up what tests need on Debian. NAME begins what they say; exit
# status 3: this machine can't have it, and why.

MISSING=""

fail() {
    echo "$NAME: $1" >&2
    exit 3
}

want() { # command, packages
    command -v "$1" >/dev/null 2>&1 || MISSING="$MISSING $2"
}

install_missing() {
    [ -z "$MISSING" ] && return
    command -v apt-get >/dev/null 2>&1 || fail "no apt-get here; install:$MISSING"
    [ "$(id -u)" = 0 ] || fail "must be root to install:$MISSING"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of names
    apt-get install -qq -y --no-install-recommends $MISSING >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends $MISSING >/dev/null; } ||
        fail "could not install:$MISSING"
}
