#!/usr/bin/env python3
"""Prints the accuracy table from results/*.json, in Markdown, with the papers'
figures (published.json) beside those on real classes; with --update it takes the
place of the one in README.md.

Runs NAME-seed0, NAME-seed1, ... are one row: medians, or of accuracies the mean and
standard deviation.
"""
import glob
import json
import os
import re
import statistics
import sys

here = os.path.dirname(os.path.abspath(__file__))
with open(f"{here}/published.json") as f:
    published = json.load(f)


def classification(evaluations, learner):
    """The same evaluation of one or several seeds."""
    e = evaluations[0]
    accuracies = [100 * x["accuracy"] for x in evaluations]
    spread = (f"+- {100 * e['ci95']:.2f}" if len(accuracies) == 1 else
              f"(deviation {statistics.stdev(accuracies):.2f})")
    paper = published["accuracy"].get(learner, {}).get(f"{e['ways']}w{e['shots']}s")
    beside = f"; published {paper:.1f}" if paper else ""
    flags = " ".join(f"`{f}`" for f in re.findall(r"--(?!eval.tasks)(\S+ \S+)", e["flags"]))
    return (f"{statistics.mean(accuracies):.2f} % {spread} ({e['ways']}-way {e['shots']}-shot, "
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

table = ["| run | steps | tasks seen | wall, CPU minutes | held-out result | mode | commit |",
         "|---|---|---|---|---|---|---|"]
for name, runs in groups.items():
    r = runs[0]
    seeds = f", {len(runs)} seeds" if len(runs) > 1 else ""
    results = [
        nats(e) if r["learner"] in ("setvae", "metavae", "metagan", "deform")
        else returns([run["evaluations"][i] for run in runs]) if r["learner"] in ("promp", "mamlpg")
        else classification([run["evaluations"][i] for run in runs], "" if "-on-" in name else r["learner"])
        if e["accuracy"] is not None
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
    table.append(f"| {name}{seeds} | {r['evaluations'][0]['step']} | {r['tasks_seen']} | {', '.join(minutes)} "
                 f"({r['ranks']} rank{'s' * (r['ranks'] > 1)} x {r['threads']}) | {'; '.join(results)} | "
                 f"{r['evaluations'][0]['mode']} | {r['provenance']['commit'][:8]} |")

if "--update" in sys.argv:
    path = f"{here}/README.md"
    with open(path) as f:
        text = f.read()
    begin = text.index("| run | steps")
    with open(path, "w") as f:
        f.write(text[:begin] + "\n".join(table) + text[text.index("\n\n", begin):])
else:
    print("\n".join(table))
