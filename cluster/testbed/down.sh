#!/usr/bin/env bash
# Ends a test bed and everything in it, and removes its folder.
#
#   cluster/testbed/down.sh [--dir FOLDER]
#
# FOLDER as up.sh printed it, or PROTEAN_TESTBED. Whatever runs on the hosts is
# killed; with its first process the kernel ends the rest, mounts and networks too.
# shellcheck source=cluster/testbed/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_bed
[ $# = 0 ] || fail "unknown argument \"$1\"; expected --dir FOLDER"

# hub may be written any moment now, if up.sh was interrupted early.
if alive "$bed/hub"; then
  kill -KILL "$pid"
  for ((round = 0; round < 200; ++round)); do
    alive "$bed/hub" || break
    sleep 0.05
  done
  ! alive "$bed/hub" || fail "process $pid, the first of the test bed, does not end"
fi
rm -rf --one-file-system "$bed"
