#!/usr/bin/env bash
# A small run is killed at random moments, a third of them inside a save, and
# resumed on 1 to 4 ranks until it ends, again and again: always the same bits.
# Minutes long, so not part of the test suite; results are kept beside it.
#
#   KILLS=100 SEED=1 PROTEAN_BIN=build/protean PROTEAN_MPIEXEC="mpirun --oversubscribe \
#     --bind-to none --mca mpi_yield_when_idle 1 -np" tests/faults/random_kills.sh
faults=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
support=$faults/../support
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
# shellcheck source=tests/faults/small_run.sh
source "$faults/small_run.sh"
kills=${KILLS:-100}
RANDOM=${SEED:-1}
points=(begin after_mkdir after_model after_optimizer after_state after_manifest after_sync
  after_rename after_sync_folder after_latest after_prune)

# Sets `number` to one of 0 ... N-1. (No subshell: it would not move RANDOM on.)
draw() { number=$((RANDOM % $1)); }

# attempt: the run in folder run, on random ranks, with a kill on its way. Sets
# died and in_save.
attempt() {
  local ranks victim fault
  draw 4 && ranks=$((number + 1))
  draw "$ranks" && victim=$number
  draw 5
  if [ "$number" -lt 2 ]; then
    # Saves are rank 0's.
    victim=0 in_save=1
    draw ${#points[@]}
    fault=checkpoint.${points[number]}:kill
    draw 4
    fault+=:$((number + 1))
  else
    in_save=0
    draw 20
    fault=trainer.step:kill:$((number + 1))
  fi
  row="kill $((killed + 1)): $fault on rank $victim of $ranks"
  ranks_with "$fault" "$victim" "$ranks" "${base[@]}" --run.dir run --resume auto
  limit_s=60 run "${job_words[@]}"
  died=0
  if [ "$code" != 0 ]; then
    [ "$code" != 124 ] || fail "still running after 60 s"
    expect_no_line 'expected the same bits'
    died=1
  fi
}

whole
killed=0 saves=0 runs=0 begin=$SECONDS
while [ "$killed" -lt "$kills" ]; do
  rm -rf run
  died=1
  while [ $died = 1 ]; do
    attempt
    killed=$((killed + died)) saves=$((saves + died * in_save))
    if [ "$killed" -ge "$kills" ] && [ $died = 1 ]; then
      row="after kill $killed"
      protean "${base[@]}" --run.dir run --resume auto
      died=0
    fi
  done
  expect_whole run
  runs=$((runs + 1))
done
echo "$killed kills, $saves of them inside a save, in $runs runs: all end with the same bits, in $((SECONDS - begin)) s"
