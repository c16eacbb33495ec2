#!/usr/bin/env bash
# Sets up, builds and runs every test. Extra arguments go to ctest.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
build=${PROTEAN_BUILD:-$top/build}
"$top/launch/setup.sh"
cmake -S "$top" -B "$build" -G Ninja >/dev/null
cmake --build "$build"
cd "$build"
ctest --output-on-failure "$@"
