#!/usr/bin/env bash
# Runs a command on a host of the test bed, in the folder that this one runs in.
#
#   cluster/testbed/on.sh [--dir FOLDER] HOST COMMAND...
#
# The command is the only child of the process that this script becomes: signals
# for it must be sent to that child.
# shellcheck source=cluster/testbed/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_bed
need_host "${1:-}"
host=$1
shift
[ $# -gt 0 ] || fail "no command for $host"
alive "$bed/$host/init" || fail "$host is down"
mapfile -t variables <"$bed/environment"
exec nsenter --target "$pid" --mount --uts --ipc --net --pid -- \
  env --chdir="$PWD" "HOSTNAME=$host" "${variables[@]}" "$@"
