# For tests on several hosts; source it after cli.sh. The hosts of
# cluster/testbed, and a check that nothing stays on them.
# shellcheck shell=bash disable=SC2034,SC2154
testbed=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../cluster/testbed")
launch=$(realpath "$testbed/../../launch")
touch "$scratch/out" "$scratch/err" # fail() shows them
export PROTEAN_BINARY=$PROTEAN_BIN # for the scripts in launch/

# bed_up [ARGUMENTS of up.sh]: or the test is skipped, with the reason that up.sh
# gives. The bed goes with this process, however that ends.
bed_up() {
  PROTEAN_TESTBED=$("$testbed/up.sh" --owner $$ "$@") || {
    local status=$?
    [ $status != 77 ] || echo "skipped: no test bed can be made here" >&2
    exit $status
  }
  export PROTEAN_TESTBED
  trap leave_bed EXIT
}
leave_bed() {
  local status=$?
  set +e
  [ ! -e "$PROTEAN_TESTBED" ] || "$testbed/down.sh"
  return_status $status
  leave
}
return_status() { return "$1"; }
# bed_down: the end of the test; nothing of the bed is left.
bed_down() {
  local bed=$PROTEAN_TESTBED processes
  processes=$(on_bed)
  [ -n "$processes" ] || fail "no process on the test bed; expected the hosts' own"
  "$testbed/down.sh"
  trap leave EXIT
  none_left() { [ -z "$(alive_of "$processes")" ]; }
  until_true 5 none_left || fail "left of the test bed: $(alive_of "$processes")"
  [ ! -e "$bed" ] || fail "$bed is left"
  ! grep -q "$bed" /proc/mounts || fail "mounts are left: $(grep "$bed" /proc/mounts)"
}

on() { "$testbed/on.sh" "$@"; }
hosts_up() {
  local file
  for file in "$PROTEAN_TESTBED"/n*/init; do
    [ ! -e "/proc/$(cut -d' ' -f1 "$file")" ] || basename "$(dirname "$file")"
  done
}
# Processes of all hosts, as numbers of this machine.
on_bed() {
  local host
  for host in $(hosts_up); do host_processes "$host"; done
}
host_processes() {  # HOST
  local space pid
  space=$(readlink "/proc/$(cut -d' ' -f1 "$PROTEAN_TESTBED/$1/init")/ns/pid")
  for pid in /proc/[0-9]*; do
    [ "$(readlink "$pid/ns/pid" 2>/dev/null)" != "$space" ] || echo "${pid#/proc/}"
  done
}
alive_of() {  # NUMBERS
  local pid
  for pid in $1; do gone "$pid" || tr '\0' ' ' <"/proc/$pid/cmdline"; done 2>/dev/null
}
# What a job left on a host that is up: processes that are not the host's own,
# shared memory, connections.
left_on() {  # HOST
  local pid name
  for pid in $(host_processes "$1"); do
    gone "$pid" && continue
    name=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
    case $name in
      bash | sleep | munged | slurmctld | slurmd | slurmscriptd) ;; # of init.sh and Slurm
      *) echo "$name" ;;
    esac
  done
  on "$1" find /dev/shm -mindepth 1
}
nothing_left() {
  local host
  for host in "$@"; do [ -z "$(left_on "$host")" ] || return 1; done
}
# expect_nothing_left HOSTS...: within 5 s.
expect_nothing_left() {
  local host
  until_true 5 nothing_left "$@" && return
  for host in "$@"; do echo "$host: $(left_on "$host")"; done >&2
  fail "a job left something on its hosts"
}
