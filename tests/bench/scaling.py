#!/usr/bin/env python3
"""Two MPI ranks beside two single processes that run at the same time.

    python3 tests/bench/scaling.py [--protean build/protean] [--pairs 7]
        [--workload omniglot-maml-5w1s] [--seconds 5]

What ranks lose to each other (imbalance, collectives, waiting) without what
cores lose to each other (caches, memory, clocks): pairs of both, in alternation;
prints each pair's ratio of tasks per second, the median, and the share of a step
that the ranks spend in the collective.
"""
import argparse
import json
import os
import statistics
import subprocess

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--protean", default="build/protean")
p.add_argument("--pairs", type=int, default=7)
p.add_argument("--workload", default="omniglot-maml-5w1s")
p.add_argument("--seconds", type=float, default=5)
a = p.parse_args()
env = dict(os.environ, OMP_NUM_THREADS="1")
if os.geteuid() == 0:
    env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
bench = [a.protean, "bench", "--json", "--bench.workload", a.workload, "--bench.threads", "1",
         "--bench.seconds", str(a.seconds)]


def start(command):
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def result(process):
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{process.args}: exit code {process.returncode}")
    return json.loads(out.splitlines()[-1])


ratios, shares = [], []
for pair in range(a.pairs):
    def together():
        return result(start(["mpirun", "-np", "2", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"] + bench))

    def apart():
        return [result(r) for r in [start(bench), start(bench)]]

    if pair % 2:
        alone, ranks = apart(), together()
    else:
        ranks, alone = together(), apart()
    ratios.append(ranks["tasks_per_s"] / sum(r["tasks_per_s"] for r in alone))
    b = ranks["breakdown"]
    shares.append(b["reduce"] / sum(b.values()))
    print(f"pair {pair + 1}: {ranks['tasks_per_s']:.1f} against "
          f"{' + '.join(format(r['tasks_per_s'], '.1f') for r in alone)}: {100 * ratios[-1]:.1f} %", flush=True)
print(f"{a.workload}: median {100 * statistics.median(ratios):.1f} % of two processes; "
      f"{100 * statistics.median(shares):.1f} % of a step in the collective, waiting included")
