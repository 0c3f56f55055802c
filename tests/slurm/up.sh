#!/bin/sh
# A Slurm of two nodes on one Debian machine, for the tests; `just slurm-up` runs it.
# Does only what is missing. With `accounting` as its argument also slurmdbd, on a MariaDB; without,
# none. Both nodes are this machine: they disturb each other's timing, and task/none holds nobody
# to an amount of memory. Exit status 3: this machine can't have it, and why.
set -eu
NAME=slurm-up
. "$(dirname "$0")/../debian.sh"

CONF=/etc/slurm/slurm.conf
DBD=/etc/slurm/slurmdbd.conf
STATE=/var/lib/repliquant-slurm
MARK="# written by repliquant's tests/slurm/up.sh"
ACCOUNTING=${1:-}

# Without what else is open here: a lock that the caller holds would be held for as long.
start() {
    setsid "$@" >>"$STATE/log/started.txt" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

runs() {
    [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null
}

wait_for() { # what, command ...
    what=$1
    shift
    for _ in $(seq 60); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.5
    done
    tail -n 5 "$STATE"/log/*.txt >&2
    fail "$what is not there after 30 s; its log is above, all of it in $STATE/log"
}

start_munge() {
    munge -n 2>/dev/null | unmunge >/dev/null 2>&1 && return
    mkdir -p /run/munge
    chown munge: /run/munge /etc/munge/munge.key 2>/dev/null || true
    start setpriv --reuid munge --regid munge --clear-groups munged
    wait_for munged sh -c 'munge -n | unmunge'
}

start_database() {
    if ! mariadb -e 'select 1' >/dev/null 2>&1; then
        mkdir -p /run/mysqld
        chown mysql: /run/mysqld
        setsid mariadbd --user=mysql --skip-networking >>"$STATE/log/mariadb.txt" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
        echo $! >"$STATE/mariadbd.pid"
        wait_for MariaDB mariadb -e 'select 1'
    fi
    mariadb -e "create database if not exists slurm_acct_db; create user if not exists slurm@localhost identified by 'slurm'; grant all on slurm_acct_db.* to slurm@localhost"
    cat >"$DBD" <<END
$MARK
AuthType=auth/munge
DbdHost=localhost
SlurmUser=root
StorageType=accounting_storage/mysql
StoragePass=slurm
StorageUser=slurm
StorageHost=localhost
LogFile=$STATE/log/slurmdbd.txt
PidFile=$STATE/slurmdbd.pid
END
    chmod 600 "$DBD"
    runs "$STATE/slurmdbd.pid" || start slurmdbd
    wait_for slurmdbd sh -c 'sacctmgr -n list cluster'
    sacctmgr -i add cluster repliquant-test >/dev/null 2>&1 || true
    sacctmgr -i add account tests >/dev/null 2>&1 || true
    sacctmgr -i add user root account=tests >/dev/null 2>&1 || true
}

write_conf() {
    storage=none
    [ "$ACCOUNTING" = accounting ] && storage=slurmdbd
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
    cat >"$1" <<END
$MARK
ClusterName=repliquant-test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=1,bf_interval=1,sched_min_interval=100000
ReturnToService=2
SlurmctldPort=16817
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmctldLogFile=$STATE/log/slurmctld.txt
SlurmctldTimeout=30
SlurmdTimeout=30
SlurmdPidFile=$STATE/slurmd-%n.pid
SlurmdLogFile=$STATE/log/slurmd-%n.txt
SlurmdSpoolDir=$STATE/spool-%n
SlurmdParameters=config_overrides
StateSaveLocation=$STATE/state
KillWait=10
MaxJobCount=30000
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/$storage
$([ "$storage" = slurmdbd ] && echo "AccountingStorageHost=localhost")
NodeName=rq1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=17001 CPUs=$(nproc) RealMemory=$memory
NodeName=rq2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=17002 CPUs=$(nproc) RealMemory=$memory
PartitionName=test Nodes=rq1,rq2 Default=YES MaxTime=INFINITE State=UP
END
    sed -i '/^$/d' "$1"
}

ready() {
    [ "$(sinfo --noheader --Node --format=%T 2>/dev/null | grep -c -E 'idle|mixed|allocated')" = 2 ]
}

[ "$(id -u)" = 0 ] || fail "only root can start Slurm"
want slurmctld slurm-wlm
want munged munge
if [ "$ACCOUNTING" = accounting ]; then
    want slurmdbd slurmdbd
    want mariadbd mariadb-server
fi
install_missing
mkdir -p "$STATE/log" "$STATE/state" /etc/slurm
if [ -f "$CONF" ] && ! grep -q "^$MARK" "$CONF"; then
    fail "$CONF is another cluster's; this machine has a Slurm already"
fi
write_conf "$CONF.new"
if ! cmp -s "$CONF.new" "$CONF" && runs "$STATE/slurmctld.pid"; then
    "$(dirname "$0")/down.sh"
fi
mv "$CONF.new" "$CONF"
start_munge
[ "$ACCOUNTING" = accounting ] && start_database
runs "$STATE/slurmctld.pid" || start slurmctld
for node in rq1 rq2; do
    runs "$STATE/slurmd-$node.pid" || start slurmd -N "$node"
done
scontrol update nodename=rq1,rq2 state=resume >/dev/null 2>&1 || true
wait_for "the cluster of two nodes" ready
echo "slurm-up: $(sinfo --version), nodes rq1 and rq2${ACCOUNTING:+, with accounting}"
