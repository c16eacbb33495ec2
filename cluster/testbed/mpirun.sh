#!/usr/bin/env bash
# mpirun on n0, over all hosts of the test bed.
#
#   cluster/testbed/mpirun.sh [--dir FOLDER] mpirun arguments
#   cluster/testbed/mpirun.sh -np 4 build/protean train ...
#
# TESTBED_SLOTS    ranks per host (default 2), hosts in order
# TESTBED_SILENCE  seconds without a sign after which mpirun gives a host up
#                  (default 9; Open MPI's own, 480, outlasts any test)
# shellcheck source=cluster/testbed/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_bed
slots=${TESTBED_SLOTS:-2}
third=$((${TESTBED_SILENCE:-9} / 3))
[ "$third" -ge 1 ] || fail "TESTBED_SILENCE \"$TESTBED_SILENCE\"; expected 3 or more"
list=
for host in $(hosts); do
  ! alive "$bed/$host/init" || list+=${list:+,}$host:$slots
done
# Ranks that wait let others run, else ten times slower on few cores.
exec "$here/on.sh" --dir "$bed" n0 env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
  mpirun -H "$list" --bind-to none \
  --mca plm_rsh_agent "$bed/ssh/agent" \
  --mca btl self,vader,tcp --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 \
  --mca oob_tcp_keepalive_time $third --mca oob_tcp_keepalive_intvl $third \
  --mca oob_tcp_keepalive_probes 2 \
  --mca mpi_yield_when_idle 1 "$@"
