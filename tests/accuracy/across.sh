#!/usr/bin/env bash
# A trained run on other domains than its own: writes
# tests/accuracy/results/across-NAME.csv.
#
#   tests/accuracy/across.sh RUN NAME [flags of eval]
#
# MNIST's test digits are among them when PROTEAN_TEST_DATA holds
# mnist/mnist_test.zip (folders 0 to 9 of images).
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
run=${1:?usage: across.sh RUN NAME [flags]} name=${2:?usage: across.sh RUN NAME [flags]}
shift 2
domains=test,rotated,inverted
digits=${PROTEAN_TEST_DATA:-}/mnist/mnist_test.zip
[ ! -f "$digits" ] || domains+=,mnist=$digits
"${PROTEAN_BIN:-$top/build/protean}" eval --run "$run" --across "$domains" \
  --eval.tasks 600 "$@" \
  --csv "$top/tests/accuracy/results/across-$name.csv"
