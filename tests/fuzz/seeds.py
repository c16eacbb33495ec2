#!/usr/bin/env python3
"""seeds.py FOLDER SPECS: seeds for the fuzzers, in FOLDER/{record,photo,spec}."""
import io
import pathlib
import shutil
import struct
import sys

out, specs = map(pathlib.Path, sys.argv[1:3])
for kind in ("record", "photo", "spec"):
    (out / kind).mkdir(parents=True, exist_ok=True)

# The golden record, and its payload alone.
payload = bytes.fromhex(
    "0a220a100a05696d61676512070a050a03ffd8ff0a0e0a056c6162656c12051a030a0107")
record = (struct.pack("<Q", 36) + bytes.fromhex("422b804d") + payload +
          bytes.fromhex("d73cb2c7"))
(out / "record/one").write_bytes(record)
(out / "record/two").write_bytes(record + record)
(out / "record/payload").write_bytes(payload)

try:
    from PIL import Image
except ImportError:
    Image = None
    print("seeds.py: no Pillow, photographs start from two bytes", file=sys.stderr)
    (out / "photo/jpeg").write_bytes(b"\xff\xd8\xff\xe0")
if Image:
    for mode in ("L", "RGB", "CMYK"):
        for progressive in (False, True):
            to = io.BytesIO()
            Image.linear_gradient("L").resize((40, 30)).convert(mode).save(
                to, "JPEG", progressive=progressive)
            (out / f"photo/{mode}{progressive}.jpg").write_bytes(to.getvalue())
    for mode in ("1", "L", "P", "RGB", "RGBA", "I;16"):
        to = io.BytesIO()
        Image.new(mode, (7, 5)).save(to, "PNG")
        (out / f"photo/{mode.replace(';', '')}.png").write_bytes(to.getvalue())

for spec in specs.glob("*_dataset_spec.json"):
    if spec.stat().st_size < 20000:
        shutil.copy(spec, out / "spec")
(out / "spec/groups").write_text("""{"__class__": "BiLevelDatasetSpecification",
"name": "t", "file_pattern": "{}.tfrecords",
"superclasses_per_split": {"TRAIN": 1, "VALID": 0, "TEST": 1},
"classes_per_superclass": {"0": 2, "1": 1}, "superclass_names": {"0": "A", "1": "B"},
"images_per_class": {"0": 6, "2": 8, "1": 7}, "class_names": {"0": "a", "1": "b", "2": "c"}}""")
(out / "spec/graph").write_text("""{"__class__": "HierarchicalDatasetSpecification",
"name": "t", "file_pattern": "{}.tfrecords", "class_names": {"0": "a", "1": "b"},
"split_subgraphs": {"TRAIN": [
{"wn_id": "a", "words": "", "children_ids": [], "parents_ids": ["r"]},
{"wn_id": "b", "words": "", "children_ids": [], "parents_ids": ["r"]},
{"wn_id": "r", "words": "", "children_ids": ["a", "b"], "parents_ids": []}],
"VALID": [], "TEST": []},
"images_per_class": {"TRAIN": {"a": 3, "b": 4, "r": 7}, "VALID": {}, "TEST": {}}}""")
