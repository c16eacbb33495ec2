#!/usr/bin/env bash
# others.sh ROW: one rank is not like the others. The job ends before its first
# step, with one line that says what differs, and nothing is on disk.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"

words=(train --run.dir new --run.steps 2 --run.quiet true --model.filters 2 --task.ways 2
  --task.shots 1 --task.queries 1 --task.meta_batch 2 --learner.inner_steps 1 --eval.every 0)

# refused_on_1 REGEX PROGRAM... -- MORE...: what rank 1 is started with.
refused_on_1() {
  local regex=$1 program=()
  shift
  while [ "$1" != -- ]; do
    program+=("$1")
    shift
  done
  shift
  two_ranks "$PROTEAN_BIN" "${words[@]}" : "${program[@]}" "${words[@]}" "$@"
  expect_code 2
  expect_error "rank 0/2: ($regex)"
  [ ! -e new ] || fail "new was made"
}

other_config() {
  refused_on_1 'ranks differ: learner\.inner_lr is 0\.4 on rank 0 and 0\.3 on rank 1' \
    "$PROTEAN_BIN" -- --learner.inner_lr 0.3
}

# The same path on two hosts: other data, or none.
other_data() {
  cp "$support/../../configs/omniglot/background.pack" sound.pack
  mkdir elsewhere nowhere
  python3 "$support/make_images.py" "$scratch/images" 24 2 2
  protean pack --in "$scratch/images" --out elsewhere/sound.pack
  expect_code 0
  words+=(--data.path sound.pack --data.split random)
  refused_on_1 'ranks differ: data checksum is [0-9a-f]+ on rank 0 and [0-9a-f]+ on rank 1' \
    env -C elsewhere "$PROTEAN_BIN" --
  refused_on_1 'rank 1: sound\.pack: no such file or folder' env -C nowhere "$PROTEAN_BIN" --
}

# Another compiler: the same program but for what it says of that.
other_build() {
  protean "${words[@]}" --run.dir one
  expect_code 0
  local flags
  flags=$(json one/summary.json 'd["provenance"]["flags"]' | tr -d '"')
  python3 - "$PROTEAN_BIN" other "$flags" <<'END'
import sys
program = open(sys.argv[1], "rb").read()
# The end of a text may stand in the instructions that copy it.
head = sys.argv[3].encode()[:12]
assert program.count(head) == 1, program.count(head)
open(sys.argv[2], "wb").write(program.replace(head, head[:1] + b"x" + head[2:]))
END
  chmod +x other
  refused_on_1 "ranks differ: flags is \"$flags\" on rank 0 and \"${flags:0:1}x${flags:2}\" on rank 1" \
    ./other --
}

other_instructions() {
  protean "${words[@]}" --run.dir one
  expect_code 0
  local own
  own=$(json one/summary.json 'd["provenance"]["instruction_set"]')
  [ "$own" != '"DEFAULT"' ] || {
    echo "skipped: this machine has one instruction set only"
    exit 77
  }
  refused_on_1 "ranks differ: instruction_set is $own on rank 0 and \"DEFAULT\" on rank 1" \
    env ATEN_CPU_CAPABILITY=default "$PROTEAN_BIN" --
}

"$1"
