#!/usr/bin/env bash
# The first processes of a test bed, each in namespaces of its own; what they
# start ends with them.
#
#   init.sh switch FOLDER [OWNER]  by up.sh. Its network is the switch; it boots
#                                  the hosts, and again each one whose name is
#                                  written to FOLDER/switch; a name and a folder
#                                  are a call of FOLDER/agent. When process OWNER
#                                  ends, it does so too, with the bed's folder.
#   init.sh host FOLDER NAME       by the switch: a host
set -euo pipefail
self=$(realpath "${BASH_SOURCE[0]}")
bed=$2

# Number and start time of this process as the machine sees them: /proc is still
# the machine's.
note() {  # FILE
  local pid stat words
  read -r stat </proc/self/stat
  pid=${stat%% *}
  read -ra words <<<"${stat##*) }"
  echo "$pid ${words[19]}" >"$1.new"
  mv "$1.new" "$1"
}
# soon WORDS...: until they succeed, for 20 s.
soon() {
  local rounds=400
  until "$@"; do
    [ $((rounds -= 1)) -gt 0 ] || {
      echo "init.sh: in vain: $*" >&2
      return 1
    }
    sleep 0.05
  done
}

# --- the switch ------------------------------------------------------------------

boot() {  # NAME
  rm -f "$bed/$1/init" "$bed/$1/ready"
  setsid unshare --mount --uts --ipc --net --pid --fork --kill-child \
    bash "$self" host "$bed" "$1" </dev/null >>"$bed/$1/log" 2>&1 &
  soon test -e "$bed/$1/init" || return
  local pid
  read -r pid _ <"$bed/$1/init"
  ip link delete dev "$1" 2>/dev/null || true # the cable of its earlier life
  # The same address in each life, or the others would look for the old one.
  ip link add name "$1" type veth peer name eth0 address "$(printf '02:00:00:00:00:%02x' "${1#n}")" \
    netns "/proc/$pid/ns/net"
  ip link set "$1" master switch up
}
# remote HOST CALL: the command in folder CALL on that host.
remote() {
  local pid code=0 variables
  read -r pid _ <"$bed/$1/init"
  mapfile -t variables <"$bed/environment"
  nsenter --mount="/proc/$pid/ns/mnt" --uts="/proc/$pid/ns/uts" --ipc="/proc/$pid/ns/ipc" \
    --net="/proc/$pid/ns/net" --pid="/proc/$pid/ns/pid" -- \
    env --chdir="$HOME" "HOSTNAME=$1" "${variables[@]}" bash -c "$(<"$2/command")" \
    </dev/null >"$2/out" 2>"$2/err" || code=$?
  # A host that was switched off says nothing any more.
  [ $code != 137 ] || sleep 1
  [ -e "/proc/$pid" ] || return 0
  echo $code >"$2/code"
}
be_switch() {
  local owner=$1 name call
  note "$bed/hub"
  ip link add name switch type bridge
  ip link set switch up
  while read -r _ name; do
    [ "$name" = localhost ] || boot "$name" || exit
  done <"$bed/hosts"
  exec 3<>"$bed/switch"
  while [ -z "$owner" ] || [ -e "/proc/$owner" ]; do
    if read -r -t 1 name call <&3; then
      if [ -n "$call" ]; then remote "$name" "$call" & else boot "$name" || true; fi
    fi
  done
  kill -KILL -1 # all but this one
  rm -rf --one-file-system "$bed"
}

# --- a host ----------------------------------------------------------------------

is_idle() { [ -n "$(sinfo -h -n "$1" -t idle -o %N 2>/dev/null)" ]; }
be_host() {
  local name=$1
  note "$bed/$name/init"
  hostname "$name"
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /dev/shm
  # Sockets, temporary files and spools of a host are its own and end with it.
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/tmp
  chmod 1777 /run/tmp
  mount --bind "$bed/hosts" /etc/hosts

  ip link set lo up
  soon ip link show eth0 >/dev/null 2>&1
  ip address add "$(awk -v name="$name" '$2 == name { print $1 }' /etc/hosts)/24" dev eth0
  ip link set eth0 up

  PATH=$PATH:/usr/sbin:/sbin
  local variables
  mapfile -t variables <"$bed/environment"
  export "${variables[@]}"
  if [ -e "$bed/slurm" ]; then
    mkdir /run/munge /run/spool
    munged --foreground --force --key-file="$bed/slurm/munge.key" --socket=/run/munge/socket \
      --pid-file=/run/munge/pid --log-file=/run/munge/log --seed-file=/run/munge/seed &
    soon test -S /run/munge/socket
    [ "$name" != n0 ] || slurmctld -D &
    # A slurmd that finds no controller asks again only much later.
    soon scontrol ping >/dev/null 2>&1
    slurmd -D -N "$name" &
  fi
  [ ! -e "$bed/slurm" ] || soon is_idle "$name"
  touch "$bed/$name/ready"
  # bash goes on reaping whatever ends without a parent.
  while :; do sleep 1000 & wait $! || true; done
}

role=$1
shift 2
"be_$role" "${@:-}"
