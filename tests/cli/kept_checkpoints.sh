#!/usr/bin/env bash
# Which checkpoints a run keeps: the last, the best by validation, every N steps;
# a stop in between forgets none of it.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
words=(train --run.dir run --run.threads 1 --run.log_every 1 --run.quiet true --task.ways 5
  --task.shots 1 --task.queries 2 --task.meta_batch 4 --model.filters 8 --learner.name protonet
  --eval.every 1 --eval.tasks 13 --checkpoint.every 1 --checkpoint.keep 1 --checkpoint.keep_best 3
  --checkpoint.keep_every 5)
protean "${words[@]}" --run.steps 7
expect_code 0
protean "${words[@]}" --run.steps 14 --resume auto
expect_code 0
expected=$(python3 - run/metrics.jsonl <<'END'
import json, sys
scores = [(d["validation_accuracy"], d["step"]) for d in map(json.loads, open(sys.argv[1]))
          if "validation_accuracy" in d]
assert len(scores) == 14 and len({s for s, _ in scores}) > 3, scores
best = [step for _, step in sorted(scores, key=lambda s: (-s[0], s[1]))[:3]]
print(*sorted({14, 5, 10, *best}))
END
)
expect_equal "steps with a checkpoint" \
  "$(cd run/checkpoints && echo step-* | tr ' ' '\n' | sed 's/step-//' | sort -n | xargs)" "$expected"
