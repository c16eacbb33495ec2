#!/usr/bin/env bash
# exact.sh CASE: the same bits of theta, meta-state and optimiser after training
# on any number of ranks, as processes and as threads.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"

# 14 tasks in stacks of 2: seven stacks, which 2, 3 and 4 ranks share unevenly.
base=(train --run.quiet true --run.threads 1 --run.steps 20 --eval.every 0
  --task.ways 5 --task.shots 1 --task.queries 3 --task.meta_batch 14 --task.stack 2
  --model.filters 16 --model.pool stride --learner.inner_steps 2)

# trained NAME: what the run in folder NAME, just trained, came to.
trained() {
  row=$1
  expect_code 0
  expect_equal "stacks per step" "$(json "$1/summary.json" 'd["stacks_per_step"]')" 7
  expect_equal "steps and tasks" \
    "$(json "$1/summary.json" '[d["steps"], d["tasks_seen"]]')" "[20, 280]"
  result=$(hashes "$1")
}
# same RANKS... -- KEYS...: MPI on 1 to 4 ranks and threads against one process.
same() {
  local mpi_ranks=$1 thread_ranks=$2 n
  shift 2
  protean "${base[@]}" "$@" --run.dir alone
  trained alone
  local expected=$result
  for n in $thread_ranks; do
    protean "${base[@]}" "$@" --run.dir "threads$n" --comm.ranks "$n"
    trained "threads$n"
    expect_equal "bits on $n threads" "$result" "$expected"
  done
  for n in $mpi_ranks; do
    mpi "$n" "${base[@]}" "$@" --run.dir "ranks$n"
    trained "ranks$n"
    expect_equal "bits on $n ranks" "$result" "$expected"
    expect_equal ranks "$(json "ranks$n/summary.json" '[d["ranks"], sum(d["tasks_by_rank"])]')" \
      "[$n, 14]"
    [ "$n" = 1 ] || expect_equal "an uneven share" \
      "$(json "ranks$n/summary.json" 'len(set(d["tasks_by_rank"])) > 1')" true
  done
}

maml() {
  same "1 2 3 4" "2 4" --comm.reduction exact
  protean "${base[@]}" --run.dir other --run.seed 1
  trained other
  expect_other "bits of another seed" "$result" "$(hashes alone)"
}
# The inner second moments live across tasks; a task's mini-batches are its own.
reptile() {
  same "2 3" "2" --comm.reduction exact --learner.name reptile --learner.inner_optimizer adam \
    --learner.inner_lr 0.001 --learner.inner_batch 3 --optim.name sgd --optim.lr 0.5
}
# Running moments are meta-state.
protonet() {
  same "2 3" "4" --comm.reduction exact --learner.name protonet
}
# fixed promises the same bits on the same ranks only.
fixed() {
  mpi 3 "${base[@]}" --run.dir once --comm.reduction fixed
  trained once
  local expected=$result
  mpi 3 "${base[@]}" --run.dir twice --comm.reduction fixed
  trained twice
  expect_equal "bits on the same ranks" "$result" "$expected"
}

"$1"
