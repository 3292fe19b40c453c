# SPDX-License-Identifier: Apache-2.0

# A Slurm cluster of two nodes on this machine, by Debian's slurmctld, slurmd and
# munge; sourced by tests, beside testing.sh. Partition `low` gives way to `high`.
# shellcheck shell=bash disable=SC2154

for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || {
    echo "no $program: scripts/install_packages.sh --launch installs Slurm"
    exit 77
  }
done

cluster=$scratch/cluster
mkdir -p "$cluster"/{state,n0,n1,log}
chmod 755 "$scratch" "$cluster"
port=$((20000 + RANDOM % 30000))
host=$(hostname -s)
me=$(id -un)
export SLURM_CONF=$cluster/slurm.conf
cat >"$SLURM_CONF" <<END
ClusterName=continuo
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$cluster/munge.sock
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/%n
SlurmctldPidFile=$cluster/ctld.pid
SlurmdPidFile=$cluster/%n.pid
SlurmctldLogFile=$cluster/log/ctld
SlurmdLogFile=$cluster/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=10
NodeName=n[0-1] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=$(nproc) RealMemory=500
PartitionName=low Nodes=n[0-1] Default=YES PriorityTier=1 GraceTime=60 MaxTime=INFINITE
PartitionName=high Nodes=n[0-1] PriorityTier=2 PreemptMode=OFF MaxTime=INFINITE
END

daemons=()
daemon() {
  "$@" >>"$cluster/log/daemons" 2>&1 &
  daemons+=("$!")
}
until_true() {  # until_true SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}
daemons_ended() { ! kill -0 "${daemons[@]}"; }
nobody_waits() { [ -z "$(squeue -h)" ]; }
end_cluster() {
  # A slurmd ends when its jobs have.
  scancel --user="$me" 2>/dev/null
  until_true 30 nobody_waits
  kill "${daemons[@]}" 2>/dev/null
  until_true 10 daemons_ended ||
    kill -KILL "${daemons[@]}" 2>/dev/null
  rm -rf "$scratch"
}
trap end_cluster EXIT
trap "exit 143" TERM

head -c 128 /dev/urandom >"$cluster/key"
chmod 600 "$cluster/key"
daemon munged --foreground --force --key-file="$cluster/key" \
  --socket="$cluster/munge.sock" --pid-file="$cluster/munge.pid" \
  --log-file="$cluster/log/munge" --seed-file="$cluster/seed"
until_true 30 test -S "$cluster/munge.sock" || fail 'no munge'

daemon slurmctld -D -i
# PMIx has a folder for each step, which nodes that share a /tmp quarrel about.
for node in n0 n1; do
  mkdir "$cluster/$node/etc" "$cluster/$node/tmp"
  cp "$SLURM_CONF" "$cluster/$node/etc/"
  echo "PMIxCliTmpDirBase=$cluster/$node/tmp" >"$cluster/$node/etc/mpi.conf"
  daemon slurmd -D -N "$node" -f "$cluster/$node/etc/slurm.conf"
done
are_idle() { [ "$(sinfo -h -p low -t idle -o %D)" = 2 ]; }
until_true 60 are_idle || {
  fail 'the cluster does not come up'
  tail -n 30 "$cluster"/log/* >&2
  exit 1
}

# state JOB: as RUNNING; is JOB STATE.
state() { scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
is() { [ "$(state "$1")" = "$2" ]; }
