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

"$1"
