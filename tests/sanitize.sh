#!/usr/bin/env bash
# Runs the tests of the modules that own threads, files and messages under a
# sanitizer, in a build folder of its own.
#
#   tests/sanitize.sh address   AddressSanitizer and UndefinedBehaviorSanitizer
#   tests/sanitize.sh thread    ThreadSanitizer; ranks as threads only, since an
#                               MPI library that is not built with it looks racy
#
# Further arguments go to ctest. PROTEAN_SANITIZE_MODULES picks other modules.
# LibTorch and MPI are not instrumented: leaks are not looked for.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case ${1:-} in
  address)
    sanitizers=address,undefined
    folder=asan
    modules=${PROTEAN_SANITIZE_MODULES:-core data tasks comm run contract coordinator experiment trainer tools}
    labels=(-LE 'fault|slow|gpu')
    ;;
  thread)
    sanitizers=thread
    folder=tsan
    modules=${PROTEAN_SANITIZE_MODULES:-core tasks comm run contract coordinator experiment trainer evaluation tools}
    labels=(-LE 'mpi|fault|slow|gpu')
    ;;
  *)
    echo "sanitize.sh: error: \"${1:-}\"; expected address or thread" >&2
    exit 2
    ;;
esac
export PROTEAN_BUILD=$top/build-$folder
shift

"$top/launch/setup.sh" --cpu
# LibTorch and MPI keep memory to the end, and their locks are not seen.
export ASAN_OPTIONS=detect_leaks=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:suppressions=$top/tests/support/tsan.supp

# No build type: assertions stay on.
"$top/launch/build.sh" --target tests -DPROTEAN_TESTS=ON \
  "-DPROTEAN_TEST_MODULES=${modules// /;}" "-DPROTEAN_SANITIZE=$sanitizers" \
  -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O1
cd "$PROTEAN_BUILD"
exec ctest --output-on-failure --parallel "$(nproc)" "${labels[@]}" "$@"
