"""Results files of several calls: what a call measured takes the place of the same rows
of earlier ones, and rows that it did not measure stay."""
import csv
import os


def _sortable(value):
    try:
        return (0, float(value), "")
    except ValueError:
        return (1, 0.0, value)


def store(path, columns, rows, keys):
    """Writes `rows`, each with a value for every one of `columns`, into the file; those
    that agree in the columns `keys` are the same row. Returns all rows of the file as
    dictionaries of text, sorted by `keys`. An error if the file has other columns."""
    kept = {}
    if os.path.exists(path):
        with open(path, newline="") as f:
            reader = csv.DictReader(f)
            if reader.fieldnames != columns:
                raise SystemExit(f"{path} has columns {reader.fieldnames}; expected {columns}")
            kept = {tuple(row[k] for k in keys): row for row in reader}
    for values in rows:
        row = {c: str(v) for c, v in zip(columns, values, strict=True)}
        kept[tuple(row[k] for k in keys)] = row
    ordered = [row for _, row in sorted(kept.items(), key=lambda item: [_sortable(k) for k in item[0]])]
    with open(path + ".new", "w", newline="") as f:
        writer = csv.DictWriter(f, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(ordered)
    os.replace(path + ".new", path)
    return ordered
