#!/usr/bin/env bash
# sources_test.sh finds each kind of break in a small tree that it takes as it is.
set -euo pipefail
check=$1/tests/architecture/sources_test.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/tests/core"
echo 'TEST_CASE("a") {}' >"$tree/tests/core/a_test.cpp"
echo 'protean_test(core SOURCES a_test.cpp b_test.cpp)' >"$tree/tests/core/CMakeLists.txt"
bash "$check" "$tree" || { echo "a tree that keeps the rules was refused"; exit 1; }

breaks() {  # file, its text
  printf '%s' "$2" >"$tree/tests/$1"
  if bash "$check" "$tree" 2>"$tree/out"; then
    echo "not found: $1 with \"$2\""
    exit 1
  fi
  grep -qF "tests/$1" "$tree/out" || { echo "not named: $1"; exit 1; }
  rm "$tree/tests/$1"
}
breaks core/b_test.cpp ''
breaks core/b_test.cpp $'\n  \n'
breaks core/b_test.cpp '#include "protean/core/csv.h"'
breaks core/c_test.cpp 'TEST_CASE("c") {}'
breaks core/run.sh ''
