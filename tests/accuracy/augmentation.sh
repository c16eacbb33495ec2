#!/usr/bin/env bash
# What generative runs' images are worth to a classifier with 5, 10 and 15 real ones
# of every held-out class: mean and deviation over the runs (one of each seed), each
# with other images to learn from; kept in results/augmentation-NAME.csv.
#
#   tests/accuracy/augmentation.sh NAME RUN... [-- eval flags...]
#   tests/accuracy/augmentation.sh omniglot-deform runs/deform-seed{0,1,2}
#   POOL_BLOCKS=2 REPEATS=3 tests/accuracy/augmentation.sh omniglot-deform-warmer-2-blocks \
#     runs/deform-seed{0,1,2} -- --shots 5 --temperature 1.3
#   tests/accuracy/augmentation.sh mnist-deform runs/deform-seed{0,1,2} -- \
#     --data.source auto --data.path mnist.zip --data.split test --shots 5
#
# POOL_BLOCKS (3) of the classifier's convolutions are pooled; REPEATS (1) classifiers
# are trained for a run and an arm. About five minutes of a core for each run and
# repeat.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
name=${1:?usage: augmentation.sh NAME RUN... [-- eval flags]}
shift
runs=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  runs+=("$1")
  shift
done
[ $# -eq 0 ] || shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for i in "${!runs[@]}"; do
  "${PROTEAN_BIN:-$top/build/protean}" eval --run "${runs[i]}" --study augmentation --repeats "${REPEATS:-1}" \
    --run.seed "$i" --model.filters 32 --model.pool_blocks "${POOL_BLOCKS:-3}" --model.init torch --run.threads 1 \
    --json "$@" >"$work/$i.json"
done
python3 - "$top/tests/accuracy/results/augmentation-$name.csv" "${POOL_BLOCKS:-3}" "$work"/*.json <<'PY'
import json, statistics, sys
out, blocks, *files = sys.argv[1:]
studies = [json.load(open(f))["rows"] for f in files]
with open(out, "w") as f:
    print("shots,arm,accuracy,deviation,runs,repeats,pool_blocks,classes,test_images", file=f)
    for rows in zip(*studies):
        r, values = rows[0], [100 * x["accuracy"] for x in rows]
        spread = statistics.stdev(values) if len(values) > 1 else 0
        print(r["shots"], r["arm"], f"{statistics.mean(values):.2f}", f"{spread:.2f}", len(values),
              len(r["by_repeat"]), blocks, r["classes"], r["test_images"], sep=",", file=f)
PY
echo "kept tests/accuracy/results/augmentation-$name.csv"
