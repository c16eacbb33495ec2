"""make_devices.py FILE: 40 imagined sensors, the shipped sample of data.source =
table (configs/table/devices.csv); the same bytes every time. Each has its own
gain, offset, drift with temperature and saturation."""
import math
import random
import sys

rows = ["task,split,voltage,temperature,load,reading"]
for number in range(40):
    draw = random.Random(500 + number)
    split = "train" if number < 28 else "validation" if number < 33 else "test"
    gain, offset = draw.uniform(0.5, 2), draw.uniform(-2, 2)
    drift, bend = draw.uniform(-0.08, 0.08), draw.uniform(0.1, 0.6)
    for _ in range(25):
        v, t, load = draw.uniform(0, 5), draw.uniform(-10, 40), draw.uniform(0, 1)
        reading = offset + 4 * math.tanh(gain * (v - 2.5) * bend) + drift * (t - 15) - 0.5 * load
        reading += draw.gauss(0, 0.05)
        rows.append(f"device{number:02},{split},{v:.3f},{t:.2f},{load:.3f},{reading:.4f}")
open(sys.argv[1], "w").write("\n".join(rows) + "\n")
