#!/usr/bin/env python3
"""Prints the accuracy table from results/*.json, in Markdown."""
import glob
import json
import os

here = os.path.dirname(os.path.abspath(__file__))
print("| run | learner | tasks seen | wall time | CPU x ranks | result | mode | commit |")
print("|---|---|---|---|---|---|---|---|")
for path in sorted(glob.glob(f"{here}/results/*.json")):
    with open(path) as f:
        r = json.load(f)
    e = r["evaluation"]
    if e["accuracy"] is None:
        result = f"loss {e['loss']:.3f} +- {e['ci95']:.3f} (median {e['loss_median']:.3f}), {e['shots']} points"
    else:
        result = (f"{100 * e['accuracy']:.2f} % +- {100 * e['ci95']:.2f}, {e['ways']}-way {e['shots']}-shot, "
                  f"{e['tasks']} tasks")
    name = os.path.basename(path)[:-5]
    print(f"| {name} | {r['learner']} | {r['tasks_seen']} | {r['wall_s'] / 60:.1f} min | "
          f"{r['provenance']['cpu']} x {r['ranks']} | {result} | {e['mode']} | {r['provenance']['commit'][:8]} |")
