#!/usr/bin/env bash
# What a generative run's images are worth to a classifier with 5, 10 and 15
# real ones of every held-out class; kept in results/augmentation-NAME.csv.
#
#   tests/accuracy/augmentation.sh RUN NAME [eval flags...]
#   tests/accuracy/augmentation.sh runs/deform omniglot-deform
#   tests/accuracy/augmentation.sh runs/deform mnist-deform --data.source auto \
#     --data.path mnist.zip --data.split test --shots 5
#
# About ten minutes of a core.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
run=${1:?usage: augmentation.sh RUN NAME [eval flags]}
name=${2:?a name for the result}
shift 2
"${PROTEAN_BIN:-$top/build/protean}" eval --run "$run" --study augmentation \
  --model.filters 32 --model.pool_blocks 3 --model.init torch --run.threads 1 \
  --csv "$top/tests/accuracy/results/augmentation-$name.csv" "$@"
