#!/usr/bin/env bash
# Makes several hosts on this one machine and prints the folder that stands for
# them, which is all that is needed to use and to end them:
#
#   export PROTEAN_TESTBED=$(cluster/testbed/up.sh [--hosts N] [--slurm])
#   cluster/testbed/mpirun.sh 4 train ...
#   cluster/testbed/down.sh
#
#   --hosts N     how many; n0, n1, ... (default 2)
#   --slurm       a real Slurm too: slurmctld on n0, slurmd and munged on each
#   --cpus N      CPUs per host that Slurm believes in (default 2)
#   --dir FOLDER  to be made; default: a new one below TMPDIR
#   --owner PID   when this process ends, the bed does as if by down.sh
#
# A host is a set of namespaces: own name, network, processes, System V memory,
# /dev/shm and /run, and a cable to a common switch. Files are shared, as on a
# cluster; FOLDER/agent does what ssh would. Nothing of it can be seen from outside but processes, and any number
# of beds can be up at once.
#
# Exit codes: 0 up, 1 failed, 2 bad usage, 77 this machine cannot (the reason is
# printed): it takes root, namespaces and the programs in `needed` below.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {  # code message
  local code=$1
  shift
  echo "testbed/up.sh: error: $*" >&2
  exit "$code"
}
hosts=2
slurm=no
cpus=2
bed=
owner=
while [ $# -gt 0 ]; do
  case $1 in
    --hosts) hosts=${2:-} && shift ;;
    --cpus) cpus=${2:-} && shift ;;
    --dir) bed=${2:?} && shift ;;
    --owner) owner=${2:?} && shift ;;
    --slurm) slurm=yes ;;
    -h | --help)
      sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "$0"
      exit 0
      ;;
    *) fail 2 "unknown argument \"$1\"; expected --hosts, --slurm, --cpus, --dir or --owner" ;;
  esac
  shift
done
[[ $hosts =~ ^[1-9][0-9]?$ ]] || fail 2 "--hosts \"$hosts\"; expected 1 to 99"
[[ $cpus =~ ^[1-9][0-9]*$ ]] || fail 2 "--cpus \"$cpus\"; expected a whole number from 1"

# --- can this machine do it? ---------------------------------------------------

PATH=$PATH:/usr/sbin:/sbin # where the daemons of Slurm are
needed="ip tc unshare nsenter"
[ $slurm = no ] || needed+=" munged slurmctld slurmd srun"
missing=
for program in $needed; do
  command -v "$program" >/dev/null || missing+=" $program"
done
[ -z "$missing" ] || fail 77 "not installed:$missing; launch/setup.sh installs what the tests need"
[ "$(id -u)" = 0 ] || fail 77 "hosts are namespaces, which need root"
refused=$(unshare --mount --uts --ipc --net --pid --fork \
  sh -c 'mount -t proc proc /proc && ip link add name x1 type veth peer name x2 && ip link add name x3 type bridge' 2>&1) ||
  fail 77 "namespaces are refused here: $refused"

# --- the folder ------------------------------------------------------------------

if [ -n "$bed" ]; then
  mkdir "$bed" || fail 2 "--dir \"$bed\" must be a folder that is not there yet"
  bed=$(cd "$bed" && pwd)
else
  bed=$(mktemp -d "${TMPDIR:-/tmp}/protean-bed.XXXXXX")
fi
undo() {
  local status=$?
  [ $status = 0 ] || "$here/down.sh" --dir "$bed" || rm -rf "$bed"
  exit $status
}
trap undo EXIT

{
  echo "127.0.0.1 localhost"
  for ((i = 0; i < hosts; ++i)); do
    echo "10.77.0.$((i + 1)) n$i"
    mkdir "$bed/n$i"
    touch "$bed/n$i/log"
  done
} >"$bed/hosts.new"

# What mpirun calls instead of ssh: AGENT HOST COMMAND... The switch runs it there.
mkdir "$bed/remote"
cat >"$bed/agent" <<EOF
#!/usr/bin/env bash
host=\$1 call=\$(mktemp -d "$bed/remote/XXXXXX") || exit 255
shift
echo "\$*" >"\$call/command"
mkfifo "\$call/out" "\$call/err" "\$call/code"
echo "\$host \$call" >"$bed/switch"
cat "\$call/out" &
cat "\$call/err" >&2 &
read -r code <"\$call/code" || code=255
wait
rm -r "\$call"
exit "\$code"
EOF
chmod +x "$bed/agent"

# Of all that runs on a host. Ranks that wait let others run, else they are ten
# times slower on few cores.
cat >"$bed/environment" <<EOF
TMPDIR=/run/tmp
OMPI_ALLOW_RUN_AS_ROOT=1
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
OMPI_MCA_plm_rsh_agent=$bed/agent
OMPI_MCA_btl=self,vader,tcp
OMPI_MCA_btl_tcp_if_include=eth0
OMPI_MCA_oob_tcp_if_include=eth0
OMPI_MCA_hwloc_base_binding_policy=none
OMPI_MCA_mpi_yield_when_idle=1
EOF
[ $slurm = no ] || echo "SLURM_CONF=$bed/slurm/slurm.conf" >>"$bed/environment"

if [ $slurm = yes ]; then
  mkdir -p "$bed/slurm/state"
  (umask 077 && head -c 1024 /dev/urandom >"$bed/slurm/munge.key")
  sed "s|@bed@|$bed|g; s|@last@|$((hosts - 1))|g; s|@cpus@|$cpus|g" \
    "$here/slurm.conf.in" >"$bed/slurm/slurm.conf"
  # Two GPUs per host that are none: what is bound to whom can be tried.
  echo "Name=gpu File=/dev/tty[0-1]" >"$bed/slurm/gres.conf"
  [ -e /dev/tty1 ] || sed -i 's| Gres=gpu:2||; /^GresTypes/d' "$bed/slurm/slurm.conf"
fi

# --- the hosts ---------------------------------------------------------------------

mkfifo "$bed/switch"
mv "$bed/hosts.new" "$bed/hosts" # from here on it is a bed that down.sh takes down
# All of it lives below one first process: no other one survives that.
setsid unshare --mount --uts --ipc --net --pid --fork --kill-child \
  bash "$here/init.sh" switch "$bed" "$owner" </dev/null >"$bed/log" 2>&1 &
unsharing=$!

# A host boots in about 0.3 s, Slurm takes 1 or 2.
deadline=$((SECONDS + 30 + hosts))
all_ready() {
  local i
  for ((i = 0; i < hosts; ++i)); do
    [ -e "$bed/n$i/ready" ] || return 1
  done
}
until all_ready; do
  if [ $SECONDS -ge $deadline ] || ! kill -0 $unsharing 2>/dev/null; then
    tail -n 20 "$bed/log" "$bed"/n*/log >&2
    fail 1 "the hosts did not come up; their last words are above"
  fi
  sleep 0.05
done
echo "$bed"
