"""What a run has written, as pandas frames."""

import json
from pathlib import Path


def metrics(run):
    """metrics.jsonl, a row for each logged step, indexed by step."""
    import pandas

    path = Path(run) / "metrics.jsonl"
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    frame = pandas.DataFrame(rows)
    return frame.set_index("step") if "step" in frame else frame


def summary(*runs):
    """summary.json of each run, a row for each."""
    import pandas

    rows = [json.loads((Path(run) / "summary.json").read_text("utf-8")) for run in runs]
    frame = pandas.json_normalize(rows)
    frame.index = [str(run) for run in runs]
    return frame
