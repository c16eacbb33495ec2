#!/usr/bin/env bash
# exact: theta, meta-state and optimiser state have the same bits after 20 steps
# on 1, 2, 3, 4 MPI ranks and on 1, 2, 4 ranks as threads.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
learner=$1
case $learner in
  maml) more=() ;;
  reptile) more=(--learner.name reptile --learner.inner_optimizer adam
                 --learner.inner_lr 0.001 --learner.inner_batch 3
                 --optim.name sgd --optim.lr 0.5) ;;
  protonet) more=(--learner.name protonet) ;;
esac
flags=("${small[@]}" "${more[@]}" --run.steps 20)

"$PROTEAN_BIN" train "${flags[@]}" --run.dir "$work/one" >"$work/one.log" 2>&1
want=$(hashes "$work/one")
for n in 2 4; do
  "$PROTEAN_BIN" train "${flags[@]}" --comm.ranks $n --run.dir "$work/threads$n" \
    >"$work/threads$n.log" 2>&1 || fail "inproc, $n ranks"
  [ "$(hashes "$work/threads$n")" = "$want" ] || fail "$n ranks as threads: other bits"
done
for n in 1 2 3 4; do
  ranks $n train "${flags[@]}" --run.dir "$work/mpi$n" >"$work/mpi$n.log" 2>&1 || fail "mpi, $n ranks"
  [ "$(hashes "$work/mpi$n")" = "$want" ] || fail "$n MPI ranks: other bits"
  [ "$(value "$work/mpi$n" stacks_per_step)" -ge 6 ] || fail "fewer than 6 stacks"
done
[ "$(value "$work/mpi3" tasks_by_rank)" = "[6, 4, 4]" ] || fail "shares of 3 ranks"

# The test can fail: another seed, other bits.
"$PROTEAN_BIN" train "${flags[@]}" --run.seed 1 --run.dir "$work/other" >"$work/other.log" 2>&1
[ "$(hashes "$work/other")" != "$want" ] || fail "another seed gave the same bits"
echo "$want"
