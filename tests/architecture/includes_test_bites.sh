#!/usr/bin/env bash
# includes_test.sh finds each kind of break: a small tree that keeps the rules
# passes, and fails once a single include is added.
set -euo pipefail
check=$1/tests/architecture/includes_test.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{src,include/protean,tests}/{core,data,models,comm,trainer,evaluation,cli} \
  "$tree/include/protean/generative"
echo '#include <mpi.h>' >"$tree/src/comm/mpi.cpp"
echo '#include "protean/core/error.h"' >"$tree/src/data/folder.cpp"
echo '#include "protean/comm/world.h"' >"$tree/src/trainer/trainer.cpp"
echo '#include "trainer/step.h"' >"$tree/src/trainer/step.cpp"
cp "$tree/src/trainer/step.cpp" "$tree/tests/trainer/step_test.cpp"
touch "$tree/src/trainer/step.h" "$tree/src/comm/call.h"
echo '#include "comm/call.h"' >"$tree/tests/comm/call_test.cpp"
bash "$check" "$tree" || { echo "a tree that keeps the rules was refused"; exit 1; }

breaks() {  # file, line
  echo "$2" >"$tree/$1"
  if bash "$check" "$tree" >"$tree/out"; then
    echo "not found: $2 in $1"
    exit 1
  fi
  grep -qF "$1" "$tree/out" || { echo "not named: $1"; exit 1; }
  rm "$tree/$1"
}
breaks src/trainer/steps.cpp '#include <mpi.h>'
breaks tests/data/folder_test.cpp '#include "nccl.h"'
breaks src/trainer/options.cpp '#include <boost/program_options.hpp>'
breaks src/core/up.cpp '#include "protean/data/dataset.h"'
breaks src/data/across.cpp '#include "protean/comm/world.h"'
breaks include/protean/generative/across.h '#include "protean/comm/communicator.h"'
breaks src/comm/across.cpp '# include "data/folder.h"'
breaks src/trainer/up.cpp '#include "cli/options.h"'
breaks src/models/up.cpp '#include "protean/data/dataset.h"'
breaks src/trainer/above.cpp '#include "protean/evaluation/study.h"'
breaks src/evaluation/private.cpp '#include "trainer/step.h"'
breaks include/protean/trainer/private.h '#include "comm/call.h"'
breaks tests/evaluation/private_test.cpp '  #  include "trainer/step.h"'
