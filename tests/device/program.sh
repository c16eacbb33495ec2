#!/usr/bin/env bash
# The program on pretend accelerators (pretend_program.cpp), whose memory faults
# where the host touches it.
#   program.sh GROUP BINARY
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
product=$PROTEAN_BIN
PROTEAN_BIN=$(realpath "$2")

small=(--data.source omniglot --task.ways 3 --task.shots 1 --task.queries 2
  --task.meta_batch 4 --task.stack 2 --model.filters 4 --learner.inner_steps 2
  --eval.tasks 4 --eval.queries 2 --eval.every 0 --run.quiet true --run.log_every 1)
# train DIR DEVICE [WORDS...]: four steps.
train() {
  protean train "${small[@]}" --run.steps 4 --run.dir "$1" --run.device "$2" "${@:3}"
  expect_code 0
}

# One rank, two on two devices, two that share one, by NCCL and without, stopped
# and gone on with: the same bits.
test_run() {
  local first
  train one pretend
  first=$(hashes one)
  PRETEND_DEVICES=1 train shared pretend --comm.ranks 2
  expect_line '2 ranks share 1 GPU of '
  expect_equal "two ranks on one device" "$(hashes shared)" "$first"
  train two pretend --comm.ranks 2
  expect_no_line 'share'
  expect_equal "two ranks on two devices" "$(hashes two)" "$first"
  train nccl pretend --comm.ranks 2 --comm.backend nccl
  expect_equal "two ranks by NCCL" "$(hashes nccl)" "$first"
  mpi 2 train "${small[@]}" --run.steps 4 --run.dir mpi --run.device pretend
  expect_code 0
  expect_equal "two processes" "$(hashes mpi)" "$first"
  protean train "${small[@]}" --run.steps 2 --run.dir parts --run.device pretend
  expect_code 0
  protean train "${small[@]}" --run.steps 4 --run.dir parts --run.device pretend --resume auto
  expect_code 0
  expect_equal "stopped after two steps" "$(hashes parts)" "$first"
  protean eval --run one --eval.tasks 4 --json
  expect_code 0
  cp "$scratch/out" there.json
  protean eval --run one --eval.tasks 4 --json --run.device cpu
  expect_code 0
  expect_equal "accuracy on the device and on the CPU" \
    "$(json there.json 'd["accuracy"]')" "$(json "$scratch/out" 'd["accuracy"]')"
}

# --- who is refused, and who is not -------------------------------------------

# refused REGEX WORDS...: on both ranks of a job, in one line.
refused() {
  row="$*"
  mpi 2 "${@:2}"
  expect_code 2
  expect_error "$1"
}
expected='; expected cpu, or a GPU with its driver and LibTorch'"'"'s CUDA libraries$'

test_refused() {
  local none=(train "${small[@]}" --run.steps 2 --run.dir none)
  local own=("$PROTEAN_BIN" "${none[@]}")
  PRETEND_DEVICES=0 refused "rank 0/2: run\.device = pretend: no pretend driver on this machine$expected" \
    "${none[@]}" --run.device pretend
  row="one rank without a device"
  two_ranks "${own[@]}" --run.device pretend : \
    env PRETEND_DEVICES=0 "${own[@]}" --run.device pretend
  expect_code 2
  expect_error "rank 0/2: rank 1: run\.device = pretend: no pretend driver on this machine$expected"
  row="one rank without NCCL"
  two_ranks "${own[@]}" --run.device pretend --comm.backend nccl : \
    env PRETEND_NCCL=none "${own[@]}" --run.device pretend --comm.backend nccl
  expect_code 2
  expect_error 'rank 0/2: rank 1: comm\.backend = nccl: no pretend NCCL on this machine$'
  local nccl=(--comm.ranks 2 --comm.backend nccl)
  row="NCCL of host memory"
  protean "${none[@]}" "${nccl[@]}"
  expect_code 2
  expect_error 'comm\.backend = nccl moves GPU memory, but run\.device = cpu; expected run\.device = cuda, or comm\.backend = mpi$'
  row="NCCL in the order of ranks"
  protean "${none[@]}" "${nccl[@]}" --run.device pretend --comm.reduction fixed
  expect_code 2
  expect_error 'comm\.reduction = fixed sums in the order of ranks, which comm\.backend = nccl does not offer; expected comm\.reduction = exact or fast, or comm\.backend = mpi$'
  row="more processes than devices"
  mpi 3 "${none[@]}" --run.device pretend
  expect_code 2
  expect_error '2 GPUs are visible on .* for local rank 2; start at most one rank per GPU'
  [ ! -e none ] || fail "a folder appeared"
  # The real one, where there is none.
  [ -e /dev/nvidiactl ] && return
  PROTEAN_BIN=$product
  refused "rank 0/2: run\.device = cuda: [^;]+$expected" "${none[@]}" --run.device cuda
  refused 'rank 0/2: comm\.backend = nccl: .+' "${none[@]}" --comm.backend nccl
  [ ! -e none ] || fail "a folder appeared"
}

# A run computed on a device is used where there is none, by a program that does
# not know the device; where there is one, it is used.
test_stored() {
  train run pretend --comm.ranks 2 --comm.backend nccl --eval.every 2
  python3 "$support/make_images.py" seen 3 2 1
  sed -i 's/^device = pretend$/device = cuda/' run/config.ini
  grep -q '^device = cuda$' run/config.ini || fail "no device in config.ini"
  local there=$PROTEAN_BIN what
  used() { # WORDS...: the same answer with a device and without
    local answer
    PROTEAN_BIN=$there protean "$@" --json
    expect_code 0
    answer=$(json "$scratch/out" "$what")
    PROTEAN_BIN=$product protean "$@" --json
    expect_code 0
    expect_equal "$*" "$answer" "$(json "$scratch/out" "$what")"
  }
  what='d["accuracy"]' used eval --run run --eval.tasks 4
  what='[p["class"] for p in d["predictions"]]' used adapt --run run --support seen --query seen
  protean eval --run run --eval.tasks 4 --comm.ranks 3
  expect_code 0
  expect_line '3 ranks share 2 GPUs of '
  PRETEND_DEVICES=1 protean adapt --run run --support seen --query seen --comm.ranks 2
  expect_line '2 ranks share 1 GPU of '
  protean eval --run run --study classes --run.device pretend
  expect_code 2
  expect_error 'run\.device = pretend, but --study computes on the CPU; expected cpu or auto$'
  PRETEND_DEVICES=0 protean eval --run run --eval.tasks 4
  expect_code 0
  PRETEND_DEVICES=0 protean eval --run run --eval.tasks 4 --run.device pretend
  expect_code 2
  expect_error 'run\.device = pretend: no pretend driver'
  row="a resume stays where it was"
  protean train "${small[@]}" --run.steps 6 --run.dir run --resume auto \
    --run.device cpu --comm.backend auto --comm.ranks 1
  expect_code 2
  expect_error 'resume: run\.device = "cpu", but the run was started with "pretend"; comm\.reduction = exact needs the same'
}

# --- a generator beside a run; the tools ---------------------------------------

test_generator() {
  local sets=(--task.ways 1 --task.shots 3 --model.filters 64 --learner.inner_steps 5 --learner.name setvae --generator.features 8
    --generator.hidden 8 --generator.code 4 --generator.latent 3)
  local words=("${small[@]}") mixed=(--generator.from maker --task.mix real=1,generated=3
    --generator.refresh 2 --generator.refresh_steps 1 --run.steps 5 --data.prefetch 1)
  python3 "$support/make_images.py" seen 1 3 1
  protean train "${words[@]}" "${sets[@]}" --run.steps 2 \
    --run.dir maker --run.device pretend
  expect_code 0
  protean generate --run maker --support seen/class000 --count 3 --out made
  expect_code 0
  protean train "${words[@]}" "${mixed[@]}" --run.dir one --run.device pretend
  expect_code 0
  expect_line 'generator version 2, after 4 of its steps'
  protean train "${words[@]}" "${mixed[@]}" --run.dir two --run.device pretend --comm.ranks 2 \
    --comm.backend nccl
  expect_code 0
  expect_equal "two ranks by NCCL" "$(hashes two)" "$(hashes one)"
  protean train "${words[@]}" "${mixed[@]}" --run.dir apart --run.device pretend --comm.ranks 2 \
    --coordinator.dedicated true
  expect_code 0
  expect_equal "a rank for the generator" "$(hashes apart)" "$(hashes one)"
}

test_tools() {
  protean doctor --run.device pretend --comm.ranks 2 --comm.backend nccl --json
  expect_code 0
  expect_equal "GPUs that compute, and sums of their memory" \
    "$(json "$scratch/out" '[[r["gpu_error"], r["gpu_gflops"] > 0] for r in d["ranks"]] + [len(d["gpu_all_reduce"]) > 5]')" \
    '[["", true], ["", true], true]'
  PRETEND_DEVICES=0 protean doctor --run.device pretend --json
  expect_code 0
  expect_equal "why not" "$(json "$scratch/out" 'd["ranks"][0]["gpu_error"]')" \
    '"run.device = pretend: no pretend driver on this machine; expected cpu, or a GPU with its driver and LibTorch'"'"'s CUDA libraries"'
  protean bench --bench.workload sine-maml --bench.seconds 0.1 --bench.ranks 2 \
    --run.device pretend --comm.backend nccl --json
  expect_code 0
  expect_equal "where" "$(json "$scratch/out" '[d["device"], d["backend"], d["ranks"]]')" '["pretend", "nccl", 2]'
  protean bench --bench.workload sine-maml --bench.seconds 0.1 --bench.ranks 2 --comm.backend nccl
  expect_code 2
  expect_error 'comm\.backend = nccl moves GPU memory, but run\.device = cpu'
}

"test_$1"
