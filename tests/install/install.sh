#!/usr/bin/env bash
# install.sh GROUP BUILD: the program as cmake --install leaves it.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/cli.sh
source "$here/../support/cli.sh"
build=$2
alone() { run env -i PATH=/usr/bin:/bin "$@"; } # with nothing of this shell

program() {
  row=program
  run cmake --install "$build" --prefix "$work/usr" --component program
  expect_code 0
  alone usr/bin/protean --version
  expect_code 0
  # With the data that it brought, from a folder that has none.
  mkdir elsewhere
  cd elsewhere
  alone ../usr/bin/protean train --run.dir run --run.steps 1 --eval.every 0 --task.meta_batch 2 \
    --model.filters 4 --run.quiet true
  expect_code 0
  cd ..
  run usr/bin/protean --completion bash
  cmp -s "$scratch/out" usr/share/bash-completion/completions/protean || fail "another completion"
  run usr/bin/protean --man
  cmp -s "$scratch/out" usr/share/man/man1/protean.1 || fail "another manual page"
  [ -x usr/share/protean/launch/mpirun.sh ] || fail "no launch/mpirun.sh"
  # Staged, as packages are made.
  run env DESTDIR="$work/stage" cmake --install "$build" --prefix /usr --component program
  expect_code 0
  expect_equal "staged files" "$(cd stage/usr && find . -type f | sort)" "$(cd usr && find . -type f | sort)"
}

# A program with a learner of its own, built against what was installed.
own_learner() {
  row="own learner"
  local component
  for component in program library; do
    run cmake --install "$build" --prefix "$work/usr" --component $component
    expect_code 0
  done
  limit_s=280
  run cmake -S "$here/own_learner" -B own -DCMAKE_PREFIX_PATH="$work/usr"
  expect_code 0
  run cmake --build own
  expect_code 0
  run own/own config --learners
  expect_code 0
  grep -q '^cosine' "$scratch/out" || fail "no cosine among the learners"
  local words=(train --learner.name cosine --run.steps 60 --eval.every 0 --task.ways 5 --task.shots 1
    --task.queries 5 --task.meta_batch 8 --model.filters 16 --optim.lr 0.005 --run.quiet true)
  run own/own "${words[@]}" --run.dir a
  expect_code 0
  run own/own "${words[@]}" --run.dir b --comm.ranks 2
  expect_code 0
  expect_equal "theta on two ranks" "$(json b/summary.json 'd["theta_sha256"]')" \
    "$(json a/summary.json 'd["theta_sha256"]')"
  run own/own eval --run a --eval.tasks 100 --json
  expect_code 0
  expect_equal "accuracy above chance, 20 %, by 15 %" \
    "$(json "$scratch/out" 'd["accuracy"] - d["ci95"] > 0.35')" true
  run own/own train --learner.name cosine --learner.inner_steps 3 --run.dir c
  expect_code 2
  expect_line 'learner.inner_steps = 3 does nothing with learner.name = cosine'
  protean eval --run a
  expect_code 2
  expect_line 'learner.name = "?cosine'
}

"$1"
