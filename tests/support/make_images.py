"""make_images.py FOLDER CLASSES IMAGES SEED: a folder of classes of grey PNG
images, 28x28, a few bright spots each; the same bytes for the same arguments."""
import pathlib
import random
import struct
import sys
import zlib


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(rows):
    side = len(rows)
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


folder, classes, images, seed = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])
draw = random.Random(seed)
for c in range(classes):
    spots = [(draw.randrange(28), draw.randrange(28)) for _ in range(6)]
    (folder / f"class{c:03}").mkdir(parents=True)
    for i in range(images):
        rows = [[0] * 28 for _ in range(28)]
        for y, x in spots:
            rows[(y + draw.randrange(3)) % 28][(x + draw.randrange(3)) % 28] = 255
        (folder / f"class{c:03}" / f"{i:03}.png").write_bytes(png(rows))
