#!/usr/bin/env bash
# launch/mpirun.sh on n0, over all hosts of the test bed that are up.
#
#   cluster/testbed/mpirun.sh [--dir FOLDER] N protean arguments
#   cluster/testbed/mpirun.sh 4 train --config ... --run.dir ...
#
# TESTBED_SLOTS    ranks per host (default 2), hosts in order
# TESTBED_SILENCE  seconds after which mpirun gives up a host that says nothing
#                  (default 9)
# shellcheck source=cluster/testbed/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_bed
[ $# -gt 1 ] || fail "expected a number of ranks and a command"
ranks=$1
shift
third=$((${TESTBED_SILENCE:-9} / 3))
[ "$third" -ge 1 ] || fail "TESTBED_SILENCE \"$TESTBED_SILENCE\"; expected 3 or more"
list=
for host in $(hosts); do
  ! alive "$bed/$host/init" || list+=${list:+,}$host:${TESTBED_SLOTS:-2}
done
exec "$here/on.sh" --dir "$bed" n0 env OMPI_MCA_oob_tcp_keepalive_time=$third \
  OMPI_MCA_oob_tcp_keepalive_intvl=$third OMPI_MCA_oob_tcp_keepalive_probes=2 \
  "$here/../../launch/mpirun.sh" "$ranks" -H "$list" -- "$@"
