#!/usr/bin/env python3
"""Meta-steps of `protean bench` beside other frameworks, as ratios.

    python3 tests/bench/compare.py --peers peers.jsonl [--protean build/protean]
        [--seconds 8] [--rounds 3] [--workloads a,b] [--out results.jsonl]

peers.jsonl holds one JSON object per line with the keys peer, variant,
workload, procs, tasks_per_s (other keys are ignored), measured on the same
machine just before or after: what counts is the ratio. Each workload of Protean
runs as one process with two threads and as two MPI ranks with one thread each,
in alternation; the median of the rounds is taken. Prints a Markdown table.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

WORKLOADS = ["sine-maml", "sine-maml-5step", "omniglot-maml-5w1s", "omniglot-maml-5w1s-strided",
             "omniglot-fomaml-5w1s", "omniglot-anil-5w1s", "protonet-60w1s"]


# A meta-batch that is one stack keeps one rank busy: two ranks get two.
STACK_FOR_TWO = {"sine-maml": 13, "sine-maml-5step": 13}


def run(binary, workload, ranks, threads, seconds):
    command = [binary, "bench", "--json", "--bench.workload", workload, "--bench.threads", str(threads),
               "--bench.seconds", str(seconds)]
    if ranks > 1 and workload in STACK_FOR_TWO:
        command += ["--task.stack", str(STACK_FOR_TWO[workload])]
    if ranks > 1:
        command = ["mpirun", "-np", str(ranks), "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"] + command
    env = dict(os.environ, OMP_NUM_THREADS=str(threads))
    if os.geteuid() == 0:
        env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--peers", required=True)
    p.add_argument("--protean", default="build/protean")
    p.add_argument("--seconds", type=float, default=8)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--workloads", default=",".join(WORKLOADS))
    p.add_argument("--out")
    a = p.parse_args()
    with open(a.peers) as f:
        peers = [json.loads(line) for line in f if line.startswith("{")]
    peers = [r for r in peers if "tasks_per_s" in r]

    print("| workload | fastest peer | tasks/s | 1 x 2 | 2 x 1 | ratio | of FMA | MiB 1x2 / 2x1 |")
    print("|---|---|---|---|---|---|---|---|")
    for w in a.workloads.split(","):
        results = {}
        for _ in range(a.rounds):
            for ranks, threads in ((1, 2), (2, 1)):
                results.setdefault(ranks, []).append(run(a.protean, w, ranks, threads, a.seconds))
        rate = {r: statistics.median(x["tasks_per_s"] for x in v) for r, v in results.items()}
        peak = max(statistics.median(x["useful_fraction_of_fma"] for x in v) for v in results.values())
        rss = {r: max(x["peak_rss_mib"] for x in v) for r, v in results.items()}
        if a.out:
            with open(a.out, "a") as f:
                for v in results.values():
                    f.writelines(json.dumps(x) + "\n" for x in v)
        rivals = [r for r in peers if r["workload"] == w]
        best = max(rivals, key=lambda r: r["tasks_per_s"], default=None)
        name = f"{best['peer']} {best['variant']}, {best['procs']} x {2 // best['procs']}" if best else "-"
        ratio = f"{max(rate.values()) / best['tasks_per_s']:.2f}" if best else "-"
        print(f"| {w} | {name} | {best['tasks_per_s'] if best else 0:.4g} | {rate[1]:.4g} | {rate[2]:.4g} | {ratio} | "
              f"{100 * peak:.0f} % | {rss[1]:.0f} / {rss[2]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
