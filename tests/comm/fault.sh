#!/usr/bin/env bash
# fault.sh FAULT RANKS CODES PATTERN... -- LAUNCH...
# Starts LAUNCH (mpirun ... fault_program) with FAULT on its last rank. The job
# must end in time with one of CODES (a,b,...; "any" = not 0), its log must
# match every PATTERN, and no process of it may be left.
set -uo pipefail
fault=$1 ranks=$2 codes=$3
shift 3
patterns=()
while [ "$1" != -- ]; do
  patterns+=("$1")
  shift
done
shift
mark=protean-fault-$fault-$$
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
complain() {
  echo "FAILED: $*"
  failed=1
}

start=$SECONDS
timeout --kill-after=5 25 "$@" "$fault" "$mark" >"$log" 2>&1
code=$?
took=$((SECONDS - start))
echo "$fault on $ranks ranks: exit $code after $took s"
cat "$log"

[ "$took" -le 15 ] || complain "took $took s, expected 15 at most"
case ,$codes, in
  *,$code,*) ;;
  ,any,) [ "$code" -ne 0 ] || complain "exit 0, expected a failure" ;;
  *) complain "exit $code, expected $codes" ;;
esac
for pattern in "${patterns[@]}"; do
  grep -Eq -- "$pattern" "$log" || complain "no line matches: $pattern"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
  left=$(pgrep -f -- "$mark" | grep -vx "$$" || true)
  [ -z "$left" ] && break
  sleep 0.3
done
if [ -n "$left" ]; then
  complain "processes left:" $left
  kill -9 $left
fi
exit $failed
