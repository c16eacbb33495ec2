#!/usr/bin/env python3
"""Prints the accuracy table from results/*.json, in Markdown, with the papers'
figures (published.json) beside those on real classes.

Runs NAME-seed0, NAME-seed1, ... are one row with the median of each figure.
"""
import glob
import json
import os
import re
import statistics

here = os.path.dirname(os.path.abspath(__file__))
with open(f"{here}/published.json") as f:
    published = json.load(f)


def classification(e, learner):
    paper = published["accuracy"].get(learner, {}).get(f"{e['ways']}w{e['shots']}s")
    beside = f"; published {paper:.1f}" if paper else ""
    flags = " ".join(f"`{f}`" for f in re.findall(r"--(?!eval.tasks)(\S+ \S+)", e["flags"]))
    return (f"{100 * e['accuracy']:.2f} % +- {100 * e['ci95']:.2f} ({e['ways']}-way {e['shots']}-shot, "
            f"{e['queries']} queries, {e['tasks']} tasks{', ' + flags if flags else ''}{beside})")


def regression(evaluations):
    """The same evaluation of one or several seeds."""
    e, parts = evaluations[0], []
    last = len(e["per_step"]) - 1  # 0: a learner without steps
    for step in sorted({min(1, last), last}):
        errors = [e["per_step"][step]["loss"] for e in evaluations]
        parts.append(f"{statistics.median(errors):.3f}")
        if last:
            parts[-1] += f" after {step} step{'s' * (step > 1)}"
        if len(errors) > 1:
            parts[-1] += f" ({min(errors):.3f} to {max(errors):.3f})"
    return f"squared error {', '.join(parts)} ({e['shots']} points, {e['tasks']} tasks)"


def returns(evaluations):
    """Of learners that act: the same evaluation of one or several seeds."""
    e, parts = evaluations[0], []
    for step in range(len(e["per_step"])):
        values = [x["per_step"][step]["return"] for x in evaluations]
        parts.append(f"{statistics.median(values):.2f} after {step}")
        if len(values) > 1:
            parts[-1] += f" ({min(values):.2f} to {max(values):.2f})"
    return f"return {', '.join(parts)} steps ({e['shots']} rollouts per step, {e['tasks']} tasks)"


def nats(e):
    """A generative learner's bound by number of support images."""
    bounds = ", ".join(f"{e['per_step'][k]['loss']:.1f} (K = {k})" for k in (0, 1, 2, 5, 10) if k < len(e["per_step"]))
    parts = [f"{bounds} nats ({e['tasks']} classes)"]
    for q in e.get("quality", []):
        rows = [(name, q[name]) for name in ("samples", "real", "copies")]
        parts += [f"{metric} " + ", ".join(f"{name} {row[metric]:.3f}" for name, row in rows)
                  for metric in ("frechet", "precision", "recall", "coverage", "one_nn", "fidelity")]
    return "; ".join(parts)


groups = {}
for path in sorted(glob.glob(f"{here}/results/*.json")):
    name = re.sub(r"-seed\d+$", "", os.path.basename(path)[:-5])
    with open(path) as f:
        groups.setdefault(name, []).append(json.load(f))

print("| run | steps | tasks seen | wall, CPU minutes | held-out result | mode | commit |")
print("|---|---|---|---|---|---|---|")
for name, runs in groups.items():
    r = runs[0]
    seeds = f", median of {len(runs)} seeds" if len(runs) > 1 else ""
    results = [
        nats(e) if r["learner"] in ("setvae", "metavae", "metagan", "deform")
        else returns([run["evaluations"][i] for run in runs]) if r["learner"] in ("promp", "mamlpg")
        else classification(e, "" if "-on-" in name else r["learner"]) if e["accuracy"] is not None
        else regression([run["evaluations"][i] for run in runs])
        for i, e in enumerate(r["evaluations"])
    ]
    if name in published["squared_error"]:
        results[-1] += f"; published {published['squared_error'][name]}"
    if r.get("train_flags") and not seeds:
        name += f" (`{r['train_flags'].replace('--', '')}`)"
    minutes = [
        "?" if r[key] is None else f"{statistics.median(x[key] for x in runs) / 60:.1f}" for key in ("wall_s", "cpu_s")
    ]
    print(f"| {name}{seeds} | {r['evaluations'][0]['step']} | {r['tasks_seen']} | {', '.join(minutes)} "
          f"({r['ranks']} rank{'s' * (r['ranks'] > 1)} x {r['threads']}) | {'; '.join(results)} | "
          f"{r['evaluations'][0]['mode']} | {r['provenance']['commit'][:8]} |")
