#!/usr/bin/env bash
# keys.sh GROUP: what the program says of its keys, and that the page of all keys
# is the one that it writes.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
sources=$(realpath "$support/../..")

said() {  # WORDS... : into $scratch/out
  row="$*"
  protean "$@"
  expect_code 0
}
holds() { grep -qF -- "$1" "$scratch/out" || fail "does not say: $1"; }
lacks() { ! grep -qF -- "$1" "$scratch/out" || fail "says: $1"; }

reference() {
  said config --reference
  diff "$sources/configs/README.md" "$scratch/out" >&2 ||
    fail "configs/README.md is stale; write it by: protean config --reference >configs/README.md"
  # Every key of the configuration has its place there.
  said config --json
  local key
  for key in $(json "$scratch/out" '" ".join(d)' | tr -d '"'); do
    grep -qx "### $key" "$sources/configs/README.md" || fail "no $key in configs/README.md"
  done
}

explain() {
  said config --explain learner.inner_steps
  holds 'learner.inner_steps = 5 (a whole number)'
  holds 'Gradient steps on the support set, per task, while training.'
  holds 'When: '
  holds 'Range: at least 0'
  holds 'learner.name = one of: maml, fomaml'
  holds 'Also called: adaptation_steps'
  holds 'a continued run keeps it'
  lacks 'protonet'
  said config --explain lr
  holds 'optim.lr = 0.001 (a number)'
  said config --explain comm.ranks
  holds 'Range: 1 to 1024'
  holds 'a continued run may change it'
  protean config --explain inner_stps
  expect_code 2
  expect_error '--explain: unknown key inner_stps; .*nearest is learner\.inner_steps$'
}

tables() {
  said config --learners
  holds 'maml (Finn et al. 2017, arXiv:1703.03400)'
  holds 'protonet (Snell et al. 2017, arXiv:1703.05175)'
  holds 'promp'
  expect_equal learners "$(grep -c '^[a-z]' "$scratch/out")" 25
  said config --networks
  expect_equal networks "$(grep -c '^[a-z]' "$scratch/out")" 6
  said config --sources
  holds 'sinusoid'
}

# A command's help fits two screens; more is there for the asking.
help() {
  local name flag
  for name in train eval adapt generate latent bench doctor config pack inspect; do
    for flag in --help -h; do
      said $name $flag
      holds "usage: protean $name"
      [ "$(wc -l <"$scratch/out")" -le 110 ] || fail "$(wc -l <"$scratch/out") lines of help"
      expect_equal "longest line" "$(awk 'length > 100 && !/^usage/' "$scratch/out" | head -1)" ""
    done
  done
  said train --help
  holds '--task.ways (5)'
  holds 'Sections of keys: run, data, task, model'
  lacks 'generator.r1_every'
  said train --help generator
  holds '--generator.r1_every (8)'
  lacks '--task.ways'
  said train --help all
  holds '--generator.r1_every (8)'
  holds '--task.ways (5)'
  said eval -h task.ways
  holds 'task.ways = 5'
  protean train --help tusk
  expect_code 2
  expect_error '--help tusk; expected one of: run, data, task, .*all, or a key'
}

# Keys of other frameworks, and a configuration that is looked at alone.
words() {
  said config --lr 0.25 --n_way 7 --json
  expect_equal values "$(json "$scratch/out" '[d["optim.lr"], d["task.ways"]]')" '["0.25", "7"]'
  row='a key that nothing reads'
  protean config --learner.name protonet --learner.inner_steps 3
  expect_code 2
  expect_error 'learner\.inner_steps = 3 does nothing with learner\.name = protonet; it is read by: maml, '
  # Every configuration that is shipped is read whole.
  local file
  for file in "$sources"/configs/*/*.ini; do
    case $file in
      *protonet-generated.ini) said config --config "$file" --generator.from some/run ;;
      *) said config --config "$file" ;;
    esac
  done
}

# A run of an older build, whose configuration holds what nothing reads, goes on
# to the same bits, with a line for each such value.
stored() {
  local words=(--run.quiet true --run.threads 1 --eval.every 0 --task.ways 3 --task.queries 2
    --task.meta_batch 2 --model.filters 4 --learner.name protonet)
  cp "$sources/configs/omniglot/background.pack" sound.pack
  said train --run.dir whole --data.path sound.pack "${words[@]}" --run.steps 4
  local expected
  expected=$(hashes whole)
  said train --run.dir old --data.path sound.pack "${words[@]}" --run.steps 2
  sed -i 's/^inner_steps = 5$/inner_steps = 3/' old/config.ini
  python3 - <<'PY'
import json
path = "old/checkpoints/step-2/state.json"
state = open(path).read()
d = json.loads(state)
def keys(x):
    if isinstance(x, dict):
        if "learner.name" in x: yield x
        for v in x.values(): yield from keys(v)
found = list(keys(d))
assert len(found) == 1 and "learner.inner_steps" not in found[0], found
PY
  said train --run.dir old --resume auto --run.steps 4
  expect_line '^\[warning\] old/config\.ini: learner\.inner_steps = 3 does nothing with learner\.name = protonet; its default, 5, stands in its place$'
  expect_equal "bits of an older run" "$(hashes old)" "$expected"
  said eval --run old --eval.tasks 2 --json
  expect_no_line 'does nothing'
}

# What the shell offers after these words, the last one being completed.
offered() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _protean
  printf '%s\n' "${COMPREPLY[@]}"
}

completion() {
  said --completion bash
  # shellcheck source=/dev/null
  source "$scratch/out"
  expect_equal "commands" "$(offered "$PROTEAN_BIN" e | xargs)" "eval export"
  expect_equal "keys" "$(offered "$PROTEAN_BIN" train --learner.na | xargs)" --learner.name
  expect_equal "choices" "$(offered "$PROTEAN_BIN" train --task.domain i)" inversion
  expect_equal "yes or no" "$(offered "$PROTEAN_BIN" train --data.invert '' | xargs)" "true false"
  expect_equal "choices of a flag" "$(offered "$PROTEAN_BIN" adapt --ink d)" dark
  touch weights.txt
  expect_equal "files" "$(offered "$PROTEAN_BIN" eval --run w)" weights.txt
  expect_equal "nothing for a number" "$(offered "$PROTEAN_BIN" train --run.steps w)" ""
  # Every key is offered, by the program's own list.
  said config --json
  json "$scratch/out" '"\n".join("--" + k for k in d)' | sed 's/^"//; s/"$//; s/\\n/\n/g' | sort >keys
  offered "$PROTEAN_BIN" train --run. | sort >some
  expect_equal "keys of a section" "$(cat some)" "$(grep '^--run\.' keys)"
  said --completion zsh
  if command -v zsh >/dev/null; then
    cp "$scratch/out" _protean
    run zsh -n _protean
    expect_code 0
  fi
  protean --completion fish
  expect_code 2
  expect_line '--completion = "fish"; expected one of: bash, zsh'

  row="manual page"
  said --man
  cp "$scratch/out" protean.1
  sed -nE 's/^\.B \\-\\-([^ ]+) .*/--\1/p' protean.1 | sed 's/\\-/-/g' | sort -u >paged
  expect_equal "keys that are not in the page" "$(comm -23 <(sort -u keys) paged)" ""
  if command -v groff >/dev/null; then
    run groff -man -Tascii -ww -z protean.1
    expect_code 0
    [ ! -s "$scratch/err" ] || fail "groff warns"
  fi
}

"$1"
