#!/usr/bin/env bash
# The cable between a host of the test bed and the switch.
#
#   cluster/testbed/link.sh [--dir FOLDER] HOST down | up | slow RATE
#
# RATE as tc has it (200mbit), both ways; up makes it fast again.
# shellcheck source=cluster/testbed/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_bed
need_host "${1:-}"
fast() {
  in_hub tc qdisc delete dev "$1" root 2>/dev/null || true
  "$here/on.sh" --dir "$bed" "$1" tc qdisc delete dev eth0 root 2>/dev/null || true
}
# A port comes up a little later, and hosts remember for a while that somebody could
# not be found. Who answers at all refuses port 9.
until_reached() {
  local other said
  other=$(awk -v me="$1" '$2 ~ /^n[0-9]+$/ && $2 != me { print $1; exit }' "$bed/hosts")
  [ -n "$other" ] || return 0
  for _ in $(seq 50); do
    said=$("$here/on.sh" --dir "$bed" "$1" timeout 1 bash -c "echo >/dev/tcp/$other/9" 2>&1) || true
    [[ $said != *refused* ]] || return 0
    sleep 0.1
  done
}
case ${2:-} in
  down) in_hub ip link set "$1" down ;;
  up)
    fast "$1"
    in_hub ip link set "$1" up
    until_reached "$1"
    ;;
  slow)
    shape=(root tbf rate "${3:?a rate, say 200mbit}" burst 64kb latency 50ms)
    fast "$1"
    in_hub tc qdisc add dev "$1" "${shape[@]}"
    "$here/on.sh" --dir "$bed" "$1" tc qdisc add dev eth0 "${shape[@]}"
    ;;
  *) fail "\"${2:-}\"; expected down, up or slow RATE" ;;
esac
