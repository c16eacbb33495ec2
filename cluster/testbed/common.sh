# Sourced by the scripts of the test bed. Finds the bed: --dir FOLDER as first
# words, or PROTEAN_TESTBED.
# shellcheck shell=bash
set -euo pipefail
# shellcheck disable=SC2034  # for those that source this
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "testbed/$(basename "$0"): error: $*" >&2
  exit 2
}
usage() { sed -n '2,/^set -e\|^here=/{/^set -e\|^here=/d;s/^# \{0,1\}//;p}' "$0"; }

bed=${PROTEAN_TESTBED:-}
if [ "${1:-}" = --dir ]; then
  bed=${2:-}
  shift 2
fi
case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
esac

need_bed() {
  [ -n "$bed" ] || fail "which test bed? expected --dir FOLDER or PROTEAN_TESTBED, as printed by up.sh"
  [ -e "$bed/hosts" ] || fail "\"$bed\" holds no test bed"
  bed=$(cd "$bed" && pwd)
}
# alive FILE: the process that FILE names, with its start time lest another one
# has the number by now, in $pid.
alive() {
  local start now
  read -r pid start 2>/dev/null <"$1" || return 1
  now=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086  # words: state is the first, start time the 20th
  set -- $now
  [ "${20:-}" = "$start" ] && [ "$1" != Z ]
}
need_host() {
  [ -n "${1:-}" ] || fail "which host? expected one of $(hosts)"
  [ -e "$bed/$1/log" ] || fail "host \"$1\"; expected one of $(hosts)"
}
hosts() { awk '$2 != "localhost" { printf "%s ", $2 }' "$bed/hosts"; }
in_hub() {
  alive "$bed/hub" || fail "the test bed in $bed is down"
  nsenter --target "$pid" --net -- "$@"
}
