#!/usr/bin/env python3
"""What watching and keeping cost a run.

    python3 tests/bench/overheads.py [--protean build/protean] [--seconds 100]
        [--ranks 2] [--config configs/omniglot/maml-5w1s.ini] [--every 30]

Trains for so many seconds with a checkpoint every EVERY seconds and prints, of
rank 0: the share of wall time that training waited for checkpoints, the share of
its processor time that the coordinator's thread took, and of a step the share in
the collective (waiting for the other ranks included). From the run's own
summary.json and metrics.jsonl.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--protean", default="build/protean")
p.add_argument("--seconds", type=float, default=100)
p.add_argument("--ranks", type=int, default=2)
p.add_argument("--config", default="configs/omniglot/maml-5w1s.ini")
p.add_argument("--every", type=float, default=30)
a = p.parse_args()
env = dict(os.environ, OMP_NUM_THREADS="1")
if os.geteuid() == 0:
    env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
with tempfile.TemporaryDirectory() as folder:
    run = pathlib.Path(folder) / "run"
    subprocess.run(
        ["mpirun", "-np", str(a.ranks), "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", a.protean, "train",
         "--config", a.config, "--run.dir", run, "--run.max_time", str(a.seconds), "--run.quiet", "true",
         "--run.threads", "1", "--eval.every", "0", "--checkpoint.every", "0", "--checkpoint.every_s", str(a.every)],
        env=env, check=True)
    summary = json.loads((run / "summary.json").read_text())
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    stored = len(list((run / "checkpoints").glob("step-*")))
parts = ["data_s", "inner_s", "outer_s", "reduce_s", "optimiser_s"]
steps = [line for line in lines if "reduce_s" in line][1:]
print(f"{a.config}, {a.ranks} ranks, {summary['wall_s']:.0f} s, {summary['steps']} steps, "
      f"{stored} checkpoints still there:")
print(f"  waiting for checkpoints  {100 * summary['checkpoint_share']:.3f} % of wall time")
print(f"  coordinator              {100 * summary['coordinator_cpu_share']:.3f} % of rank 0's processor time")
print(f"  in the collective        "
      f"{100 * statistics.median(l['reduce_s'] / sum(l[k] for k in parts) for l in steps):.2f} % of a step (median)")
