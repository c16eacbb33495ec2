#!/usr/bin/env bash
# Sets up, builds everything and runs every test. Arguments go to ctest:
#
#   tests/run.sh                 all that this machine can run
#   tests/run.sh -L unit         one label: unit mpi fault gpu slow
#   tests/run.sh -R '^core$' -V  one test, with its output
#
# PROTEAN_TEST_DATA: folder of data sets that some tests want; they are skipped
# without it. PROTEAN_CMAKE_OPTIONS: options for cmake, separated by blanks.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PROTEAN_BUILD=${PROTEAN_BUILD:-$top/build}
"$top/launch/setup.sh"
# shellcheck disable=SC2086  # options are words
"$top/launch/build.sh" -DPROTEAN_TESTS=ON ${PROTEAN_CMAKE_OPTIONS:-}
cd "$PROTEAN_BUILD"
exec ctest --output-on-failure "$@"
