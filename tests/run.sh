#!/usr/bin/env bash
# Sets up, builds everything and runs every test. Arguments go to ctest:
#
#   tests/run.sh                  all that this machine can run
#   tests/run.sh --fast           what is quick, about a minute once it is built
#   tests/run.sh -L unit          one label: unit mpi fault gpu slow
#   tests/run.sh -R '^core\.'     one module's files
#   tests/run.sh -R '^core\.hash$' -V   one file, with its output
#
# The ten that took longest are listed before ctest's closing line.
# PROTEAN_TEST_DATA: folder of data sets that some tests want; they are skipped
# without it. PROTEAN_CMAKE_OPTIONS: options for cmake, separated by blanks.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PROTEAN_BUILD=${PROTEAN_BUILD:-$top/build}
# Tests that start ranks count as two; a machine's memory limits the rest.
jobs=$(nproc)
[ "$jobs" -le 8 ] || jobs=8
arguments=(--parallel "$jobs")
for arg in "$@"; do
  case $arg in
    # Programs' and scripts' tests, which start processes and train, left out.
    --fast) arguments+=(-L unit -LE slow -E '^(cli|exact|fault|slurm)\.') ;;
    *) arguments+=("$arg") ;;
  esac
done
"$top/launch/setup.sh"
# shellcheck disable=SC2086  # options are words
"$top/launch/build.sh" -DPROTEAN_TESTS=ON ${PROTEAN_CMAKE_OPTIONS:-}
cd "$PROTEAN_BUILD"

# Prints what it reads; before ctest's closing line, the tests that took longest.
with_slowest() {
  awk '
    $1 ~ /^[0-9]+\/[0-9]+$/ && $2 == "Test" && $NF == "sec" {
      ++n
      name[n] = $4
      took[n] = $(NF - 1)
    }
    /^Total Test time/ && n > 1 {
      printf "The slowest:\n"
      for (k = 1; k <= 10 && k <= n; ++k) {
        slowest = 0
        for (i = 1; i <= n; ++i)
          if (i in took && (!slowest || took[i] > took[slowest])) slowest = i
        printf "%9.2f s  %s\n", took[slowest], name[slowest]
        delete took[slowest]
      }
      printf "\n"
    }
    { print; fflush() }'
}
ctest --output-on-failure "${arguments[@]}" | with_slowest
