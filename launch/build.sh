#!/usr/bin/env bash
# Configures and builds; arguments go to cmake's configure step, but for
# --target NAME, which picks what to build (default: everything).
#
#   launch/build.sh [--target NAME] [-DKEY=VALUE ...]
#
# PROTEAN_BUILD names the build folder (default: build). Compilers: CXX and CC,
# default g++ and gcc. Parallel jobs: CMAKE_BUILD_PARALLEL_LEVEL, default as many
# as cores and memory allow.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${PROTEAN_BUILD:-$top/build}
export CXX=${CXX:-g++} CC=${CC:-gcc}

targets=()
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --target)
      targets+=(--target "$2")
      shift
      ;;
    *) options+=("$1") ;;
  esac
  shift
done

# A unit that includes LibTorch takes up to 2 GB while it compiles.
if [ -z "${CMAKE_BUILD_PARALLEL_LEVEL:-}" ]; then
  jobs=$(nproc)
  by_memory=$(awk '/^MemAvailable:/ { print int($2 / 2097152) + 1 }' /proc/meminfo)
  [ "$jobs" -le "$by_memory" ] || jobs=$by_memory
  export CMAKE_BUILD_PARALLEL_LEVEL=$jobs
fi

started=$(date +%s)
if [ ! -e "$build/CMakeCache.txt" ] && command -v ninja >/dev/null; then
  options+=(-G Ninja)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake -S "$top" -B "$build" "${options[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
grep -A 3 -i '^CMake Warning' "$log" >&2 || true
cmake --build "$build" "${targets[@]}" >&2
echo "build: $(($(date +%s) - started)) s in $build" >&2
