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

stacks=7 # of the first step
# trained NAME: what the run in folder NAME, just trained, came to.
trained() {
  row=$1
  expect_code 0
  expect_equal "stacks per step" "$(json "$1/summary.json" 'd["stacks_per_step"]')" "$stacks"
  expect_equal "tasks" "$(json "$1/summary.json" 'd["tasks_seen"] / d["steps"]')" 14.0
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
  same "2 3" "4" --comm.reduction exact --learner.name protonet --learner.inner_steps 5
}
# All others, in one process and on two threads.
learners() {
  local name keys
  while read -r name keys; do
    # shellcheck disable=SC2086  # keys are words
    same "" 2 --comm.reduction exact --learner.name "$name" $keys
    rm -r alone threads2
  done <<'END'
anil --learner.checkpoint true
metasgd --learner.truncate 1
mamlpp --learner.multi_loss_steps 10 --learner.first_order_steps 5
protomaml --learner.inner_lr 0.01
imaml --learner.proximal 2 --learner.inner_lr 0.1
metalstm --learner.second_order false --learner.inner_lr 0.01 --model.filters 4
cavia --model.context 5 --model.norm layer
matching --learner.inner_steps 5 --learner.full_context true
relation --learner.inner_steps 5 --model.pool max --model.pool_blocks 2
siamese --learner.inner_steps 5 --learner.width 64
snail --learner.inner_steps 5 --learner.width 8
mann --learner.inner_steps 5 --learner.width 20
baseline --task.flat_batch 15
END
}
# A set VAE has its own network, makes no inner steps, and takes the defaults alone.
sets=(--task.ways 1 --task.shots 4 --task.queries 2 --learner.name setvae --learner.inner_steps 5
  --model.filters 64 --model.pool max
  --generator.filters 4 --generator.hidden 16 --generator.code 8)
# Noise, and how many images a task shows, belong to the task.
setvae() {
  same "1 2 4" "2" --comm.reduction exact "${sets[@]}"
}
# Two sums a step, meta-state, and parameters that follow others.
metagan() {
  same "1 2 4" "2" --comm.reduction exact "${sets[@]}" --learner.name metagan \
    --learner.inner_steps 1 --learner.inner_lr 0.001 --generator.r1_every 2 --run.steps 8
}
# A frozen generator's tasks, mixed with real ones and with its clusters, and by
# halves with each other, with a class of what it makes of their images.
generated() {
  protean "${base[@]}" "${sets[@]}" --run.dir generator --run.steps 5
  expect_code 0
  same "1 2 4" "2" --comm.reduction exact --generator.from generator \
    --task.mix real=1,generated=2,clustered=1 --generator.clusters 100 --generator.partitions 2 \
    --generator.rule ro --task.interpolate 0.5 --task.generated_shots 1 --task.generated_as class \
    --task.generated_queries 1 --task.generated_weight 0.3
}
# A generator that trains beside the run: its versions change in mid-run, the mix
# shifts, and a kill in between changes nothing.
refreshed() {
  protean "${base[@]}" "${sets[@]}" --run.dir maker --run.steps 4
  expect_code 0
  local words=(--comm.reduction exact --generator.from maker --checkpoint.every 3
    --task.mix real=1,generated=3 --task.mix_to real=1,generated=0 --task.mix_steps 40)
  same "2 4" "2" "${words[@]}" --generator.refresh 4 --generator.refresh_steps 2
  local expected
  expected=$(hashes alone)
  expect_line '^\[info\] generator version 3, after 10 of its steps, makes tasks from step 16$'
  PROTEAN_FAULT=trainer.step:kill:14 protean "${base[@]}" "${words[@]}" \
    --generator.refresh 4 --generator.refresh_steps 2 --run.dir killed
  expect_code 137
  mpi 3 "${base[@]}" "${words[@]}" --run.dir killed --generator.refresh 4 \
    --generator.refresh_steps 2 --resume auto
  trained killed
  expect_line 'resuming from killed/checkpoints/step-12,'
  expect_equal "bits after a kill" "$result" "$expected"
  # The oldest checkpoint that is kept, of step 15, may need version 2. The one
  # before it goes unless a checkpoint was still being written.
  expect_equal "versions" "$(cd killed/generator && echo version-[2-9])" \
    "version-2 version-3 version-4 version-5"
  # Rank 0 trains it while the others make steps.
  words+=(--generator.refresh 4 --generator.refresh_steps 2)
  mpi 3 "${base[@]}" "${words[@]}" --run.dir apart --coordinator.dedicated true
  trained apart
  expect_equal "bits with a rank for the generator" "$result" "$expected"
  PROTEAN_FAULT=trainer.step:kill:14 mpi 3 "${base[@]}" "${words[@]}" --run.dir apart_killed \
    --coordinator.dedicated true
  [ "$code" -ne 0 ] || fail "exit code 0 although the ranks were killed"
  mpi 3 "${base[@]}" "${words[@]}" --run.dir apart_killed --coordinator.dedicated true --resume auto
  trained apart_killed
  expect_equal "bits with a rank for the generator, after a kill" "$result" "$expected"
  words=("${words[@]:0:${#words[@]}-4}")
  protean "${base[@]}" "${words[@]}" --run.dir frozen
  trained frozen
  expect_other "bits with a frozen generator" "$result" "$expected"

  row="a version that is lost"
  rm -r killed/generator/version-5
  rm killed/DONE
  protean "${base[@]}" "${words[@]}" --run.dir killed --generator.refresh 4 \
    --generator.refresh_steps 2 --run.steps 24 --resume auto
  expect_code 1 2
  expect_error 'killed/generator/version-5: no checkpoint there; expected version 5'
}
# What trains beside a run is what its own run would have gone on to: of the same
# tasks (its task.mix) and at the same rate (its schedule and run.steps).
refreshed_alike() {
  local name keys stop
  local words=(--comm.reduction exact --generator.from maker --task.mix real=1,generated=3
    --generator.refresh 4 --generator.refresh_steps 2 --run.steps 5)
  while IFS='|' read -r name keys; do
    row=$name
    # Stopped at step 4 of 10; gone on with to step 6.
    # shellcheck disable=SC2086  # keys are words
    local made=("${base[@]}" "${sets[@]}" $keys --run.dir maker --run.steps 10 --checkpoint.every 2)
    PROTEAN_FAULT=trainer.step:kill:5 protean "${made[@]}"
    expect_code 137
    rm -rf maker/checkpoints/step-2
    protean "${base[@]}" "${words[@]}" --run.dir beside
    expect_code 0
    PROTEAN_FAULT=trainer.step:kill:3 protean "${made[@]}" --resume auto
    expect_code 137
    cmp maker/checkpoints/step-6/model.safetensors beside/generator/version-1/step-6/model.safetensors ||
      fail "version 1 is another than the generator's own next one"
    rm -r maker beside
  done <<'END'
its own rate|--optim.schedule cosine --optim.lr_end 0.0001
its own tasks|--task.mix augmented=1
its own tasks, shifting|--task.mix real=1,augmented=1 --task.mix_to real=0,augmented=1 --task.mix_steps 8
END
  row="a schedule that has ended at 0"
  protean "${base[@]}" "${sets[@]}" --run.dir maker --run.steps 4 --optim.schedule cosine
  expect_code 0
  protean "${base[@]}" "${words[@]}" --run.dir beside
  expect_code 2
  expect_error 'generator\.from = maker further, but its optim\.schedule = cosine has ended, after 4 steps'
  [ ! -e beside ] || fail "the folder appeared"
}
# Rollouts belong to the task and the step, also those that several outer steps
# are made on; a kill in between changes nothing.
acting() {
  base=(train --run.quiet true --run.threads 1 --run.steps 6 --eval.every 3 --eval.tasks 6
    --data.horizon 8 --task.shots 3 --task.queries 3 --task.meta_batch 14 --task.stack 2
    --model.name mlp --model.hidden 8,8 --learner.inner_steps 1 --learner.inner_lr 0.1
    --comm.reduction exact)
  local words=(--data.source point --learner.name promp --checkpoint.every 2) expected
  same "2 4" "2" "${words[@]}"
  expected=$(hashes alone)
  PROTEAN_FAULT=trainer.step:kill:5 protean "${base[@]}" "${words[@]}" --run.dir killed
  expect_code 137
  mpi 3 "${base[@]}" "${words[@]}" --run.dir killed --resume auto
  trained killed
  expect_line 'resuming from killed/checkpoints/step-4,'
  expect_equal "bits after a kill" "$result" "$expected"
  local returns
  protean eval --run alone --eval.tasks 10 --learner.eval_steps 2 --json
  expect_code 0
  returns=$(cat "$scratch/out")
  mpi 2 eval --run alone --eval.tasks 10 --learner.eval_steps 2 --json
  expect_code 0
  expect_equal "evaluation on 2 ranks" "$(cat "$scratch/out")" "$returns"
  rm -r alone threads2 ranks*
  same "" "2" --data.source bandit --learner.name mamlpg
}
# Tasks of unequal size, padded into stacks whose number changes from step to
# step; what validations decide of their size outlives a kill.
unequal() {
  local words=(--comm.reduction exact --task.ways 2 --task.train_ways_max 6
    --task.train_shots_max 3 --task.stack 5 --run.log_every 1 --task.curriculum_accuracy 0.1
    --eval.every 4 --eval.tasks 20 --checkpoint.every 3)
  stacks=3 # of tasks of one size: none is larger yet
  same "2 4" "3" "${words[@]}"
  local expected=$result
  expect_equal "levels by step" "$(grown alone)" "4 3 2 1"
  PROTEAN_FAULT=trainer.step:kill:14 protean "${base[@]}" "${words[@]}" --run.dir killed
  expect_code 137
  mpi 3 "${base[@]}" "${words[@]}" --run.dir killed --data.prefetch 0 --resume auto
  expect_code 0
  expect_equal "bits after a kill" "$(hashes killed)" "$expected"
  protean "${base[@]}" "${words[@]}" --run.dir killed --eval.every 5 --run.steps 24 --resume auto
  expect_code 2
  expect_error 'eval\.every = "5", but the run was started with "4"'

  row="stacks of equal tasks alone"
  protean "${base[@]}" "${words[@]}" --run.dir equal --task.stack_overhead 0
  expect_code 0
  expect_other "bits of other stacks" "$(hashes equal)" "$expected"
}
grown() {  # RUN: how far its tasks were held back at the steps that are logged
  python3 - "$1" <<'END'
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1] + "/metrics.jsonl")]
seen = []
for l in lines:
    if "held_back" in l and l["held_back"] not in seen:
        seen.append(l["held_back"])
print(*seen)
END
}
# Nor does the number of a rank's threads, of which a stack of 2 tasks leaves some
# without a task of their own.
threads() {
  local name n keys expected
  while read -r name keys; do
    for n in 1 2 3; do
      row="$name on $n threads"
      # shellcheck disable=SC2086  # keys are words
      protean "${base[@]}" --run.steps 4 $keys --run.threads "$n" --run.dir "$name$n"
      expect_code 0
      [ "$n" != 1 ] || expected=$(hashes "$name$n")
      expect_equal bits "$(hashes "$name$n")" "$expected"
    done
    rm -r "$name"?
  done <<END
maml --comm.reduction exact
wide --comm.reduction exact --model.filters 64 --model.pool max
reptile --learner.name reptile --learner.inner_batch 3
protonet --learner.name protonet --model.filters 64 --learner.inner_steps 5
setvae ${sets[*]}
metagan ${sets[*]} --learner.name metagan --learner.inner_steps 1 --learner.inner_lr 0.001
sinusoid --data.source sinusoid --model.name mlp --model.filters 64 --model.pool max --task.shots 10 --learner.inner_lr 0.01
text --data.source text --data.split stored --model.name transformer --model.filters 64 --model.pool max --task.shots 6
promp --data.source point --learner.name promp --model.name mlp --model.filters 64 --model.pool max --learner.inner_lr 0.1
END
  row="stopped with one thread, gone on with three"
  protean "${base[@]}" --run.dir whole
  trained whole
  expected=$result
  protean "${base[@]}" --run.dir stopped --run.steps 10
  expect_code 0
  protean "${base[@]}" --run.dir stopped --run.threads 3 --resume auto
  trained stopped
  expect_equal bits "$result" "$expected"

  row="more threads than cores"
  protean "${base[@]}" --run.steps 1 --run.threads 64 --run.dir many
  expect_code 0
  if [ "$(nproc)" -lt 64 ]; then
    expect_line "^\[warning\] run\.threads = 64, but a rank may use $(nproc) of the "
  fi
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
# Neither what travels early nor where the optimiser's state lies changes a bit.
spread() {
  same "1 2 4" "3" --comm.reduction exact --comm.overlap true --comm.shard_optim true
  local expected=$result
  protean "${base[@]}" --comm.reduction exact --run.dir plain
  trained plain
  expect_equal "bits without either" "$result" "$expected"
  # Cut over 3 ranks, stored whole, cut over 2.
  mpi 3 "${base[@]}" --comm.reduction exact --comm.shard_optim true --run.dir cut --run.steps 10
  expect_code 0
  mpi 2 "${base[@]}" --comm.reduction exact --comm.shard_optim true --run.dir cut --resume auto \
    --comm.overlap true
  trained cut
  expect_equal "bits after a stop" "$result" "$expected"
}
# 16-bit gradients: what a rank has yet to send survives a stop.
halves() {
  local words=("${base[@]}" --comm.reduction fixed --comm.wire bf16 --comm.overlap true)
  mpi 3 "${words[@]}" --run.dir whole
  trained whole
  local expected=$result
  mpi 3 "${words[@]}" --run.dir stopped --run.steps 10
  expect_code 0
  expect_equal "rests in the checkpoint" "$(residuals stopped 10)" "3 True"
  mpi 3 "${words[@]}" --run.dir stopped --resume auto
  trained stopped
  expect_equal "bits after a stop" "$result" "$expected"
  # On other ranks the first one takes over all rests.
  mpi 3 "${words[@]}" --run.dir other --run.steps 10
  expect_code 0
  mpi 2 "${words[@]}" --run.dir other --run.steps 11 --optim.lr 1e-3 --resume auto
  expect_code 0
  expect_equal "rests on 2 ranks" "$(residuals other 11)" "2 True"
  protean "${base[@]}" --comm.reduction fast --run.dir plain
  trained plain
  expect_other "bits of full width" "$result" "$expected"
}
residuals() {  # RUN STEP: how many, and whether all hold something
  tensors "$1" "$2" 'len(r), all(abs(v).max() > 0 for v in r.values())' | tr -d '(),'
}
tensors() {  # RUN STEP EXPRESSION of r, the rests by name
  python3 - "$1/checkpoints/step-$2/optimizer.safetensors" "$3" <<'END'
import array, json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
head = json.loads(data[8:8 + size])
class Vector(list):
    def max(self): return max(self)
    def __abs__(self): return Vector(map(abs, self))
r = {}
for name, t in head.items():
    if name.startswith("residual."):
        a = array.array("f", data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]])
        r.setdefault(name.split("/")[0], Vector()).extend(a)
print(eval(sys.argv[2]))
END
}

"$1"
