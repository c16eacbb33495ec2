#!/usr/bin/env bash
# Switches a killed host on again.
#
#   cluster/testbed/boot-host.sh [--dir FOLDER] HOST
# shellcheck source=cluster/testbed/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_bed
need_host "${1:-}"
! alive "$bed/$1/init" || fail "$1 is up"
alive "$bed/hub" || fail "the test bed in $bed is down"
rm -f "$bed/$1/ready"
echo "$1" >"$bed/switch"
for ((round = 0; round < 600; ++round)); do
  [ ! -e "$bed/$1/ready" ] || exit 0
  sleep 0.05
done
tail -n 20 "$bed/$1/log" >&2
fail "$1 does not come up; its last words are above"
