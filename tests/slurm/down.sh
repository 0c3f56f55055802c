#!/bin/sh
# Ends the Slurm that up.sh started, and what it kept; `just slurm-down` runs it.
set -eu

CONF=/etc/slurm/slurm.conf
STATE=/var/lib/repliquant-slurm

[ -f "$CONF" ] && grep -q "^# written by repliquant's tests/slurm/up.sh" "$CONF" || exit 0
timeout 10 scancel --user="$(id -un)" >/dev/null 2>&1 || true
for name in slurmd-rq1 slurmd-rq2 slurmctld slurmdbd mariadbd; do
    pid=$(cat "$STATE/$name.pid" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 40); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.25
    done
    kill -9 "$pid" 2>/dev/null || true
done
rm -rf "$STATE/state" "$STATE"/*.pid "$STATE"/spool-* "$CONF" /etc/slurm/slurmdbd.conf
mkdir -p "$STATE/state"
