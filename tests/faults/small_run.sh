# For fault tests: a run of a few seconds, what it comes to when nothing happens,
# and jobs in which one rank has a fault. Source it after support/cli.sh.
# shellcheck shell=bash
base=(train --run.quiet true --run.threads 1 --run.log_every 1 --run.steps 24 --eval.every 0
  --task.ways 3 --task.shots 1 --task.queries 2 --task.meta_batch 6 --task.stack 2
  --model.filters 4 --learner.inner_steps 1 --checkpoint.every 4 --checkpoint.keep 2
  --comm.reduction exact --comm.timeout_s 60)

# The run that never stops, in folder whole; its bits in $expected.
whole() {
  protean "${base[@]}" --run.dir whole
  expect_code 0
  expected=$(hashes whole)
}
# The run in folder NAME has ended as the whole one did.
expect_whole() {
  expect_code 0
  expect_equal "bits of $1" "$(hashes "$1")" "$expected"
  expect_each_step_once "$1" "$(json "$1/summary.json" 'd["steps"]')"
  [ -e "$1/DONE" ] || fail "$1/DONE is missing"
  [ ! -e "$1/lock" ] || fail "$1/lock stayed"
}
has_checkpoint() { [ -e "$1/checkpoints/step-$2/manifest.json" ]; }
# ranks_with FAULT RANK RANKS WORDS...: mpiexec words of a job in which one rank
# has this PROTEAN_FAULT, in $job_words.
ranks_with() {
  local fault=$1 faulty=$2 ranks=$3 rank
  shift 3
  job_words=("${mpiexec[@]:0:${#mpiexec[@]}-1}")
  for ((rank = 0; rank < ranks; ++rank)); do
    [ "$rank" = 0 ] || job_words+=(:)
    job_words+=("${mpiexec[-1]}" 1)
    [ "$rank" != "$faulty" ] || job_words+=(env PROTEAN_FAULT="$fault")
    job_words+=("$PROTEAN_BIN" "$@")
  done
}
# The job has failed, in time, with a line that names the rank (from 0).
expect_lost_rank() {
  [ "$code" -ne 0 ] || fail "exit code 0 although rank $1 was lost"
  expect_line "rank $1[^0-9]"
}
