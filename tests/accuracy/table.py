#!/usr/bin/env python3
"""Prints the accuracy table from results/*.json, in Markdown.

Runs NAME-seed0, NAME-seed1, ... are one row with the median of each figure.
"""
import glob
import json
import os
import re
import statistics

here = os.path.dirname(os.path.abspath(__file__))


def percent(x):
    return f"{100 * x:.2f} %"


def figures(runs):
    """What came out, in words."""
    e = runs[0]["evaluation"]
    if e["accuracy"] is not None:
        text = f"{percent(e['accuracy'])} +- {100 * e['ci95']:.2f}, {e['ways']}-way {e['shots']}-shot"
        return f"{text}, {e['tasks']} tasks"
    parts = []
    for step in sorted({1, len(e["per_step"]) - 1}):
        errors = [r["evaluation"]["per_step"][step]["loss"] for r in runs]
        text = f"{statistics.median(errors):.3f} after {step} step{'s' * (step > 1)}"
        if len(runs) > 1:
            text += f" ({min(errors):.3f} to {max(errors):.3f})"
        parts.append(text)
    return f"squared error {', '.join(parts)}; {e['shots']} points, {e['tasks']} tasks"


groups = {}
for path in sorted(glob.glob(f"{here}/results/*.json")):
    name = re.sub(r"-seed\d+$", "", os.path.basename(path)[:-5])
    with open(path) as f:
        groups.setdefault(name, []).append(json.load(f))

print("| run | learner | steps | tasks seen | wall, CPU time | held-out result | mode | commit |")
print("|---|---|---|---|---|---|---|---|")
for name, runs in groups.items():
    r = runs[0]
    seeds = f", median of {len(runs)} seeds" if len(runs) > 1 else ""
    minutes = [f"{statistics.median(x[key] for x in runs) / 60:.0f}" for key in ("wall_s", "cpu_s")]
    print(f"| {name}{seeds} | {r['learner']} | {r['evaluation']['step']} | {r['tasks_seen']} | "
          f"{minutes[0]}, {minutes[1]} min on {r['ranks']} x {r['threads']} | {figures(runs)} | "
          f"{r['evaluation']['mode']} | {r['provenance']['commit'][:8]} |")
