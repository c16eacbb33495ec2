"""dress_images.py FOLDER OUT CLOTHES: the images of make_images.py once more, as
other programs write them; a viewer shows the same picture.

  large    three times as wide and high
  rgb      grey as three equal colours
  alpha    RGB and opacity, opaque
  palette  16 colours of which one is transparent, none of it seen
  deep     16 bits
  deep10   10 bits in 16, as cameras store them
  turned   lying on its side, with Exif's orientation (eXIf) 6
"""
import pathlib
import struct
import sys
import zlib


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def read(path):
    raw = path.read_bytes()
    side = struct.unpack(">I", raw[16:20])[0]
    at = raw.index(b"IDAT")
    size = struct.unpack(">I", raw[at - 4 : at])[0]
    rows = zlib.decompress(raw[at + 4 : at + 4 + size])
    return [list(rows[y * (side + 1) + 1 : (y + 1) * (side + 1)]) for y in range(side)]


def png(rows, kind, bits, values, more=b""):
    """values(v): the bytes of a pixel."""
    raw = b"".join(b"\0" + b"".join(values(v) for v in row) for row in rows)
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), bits, kind, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def dressed(rows, clothes):
    grey, rgb, palette, rgba = 0, 2, 3, 6
    if clothes == "large":
        return png([[v for v in row for _ in range(3)] for row in rows for _ in range(3)],
                   grey, 8, lambda v: bytes([v]))
    if clothes == "rgb":
        return png(rows, rgb, 8, lambda v: bytes([v] * 3))
    if clothes == "alpha":
        return png(rows, rgba, 8, lambda v: bytes([v] * 3 + [255]))
    if clothes == "palette":
        colours = [0, 255] + [100] * 14
        more = (chunk(b"PLTE", bytes(c for v in colours for c in [v] * 3))
                + chunk(b"tRNS", bytes([255, 255, 0])))
        return png(rows, palette, 8, lambda v: bytes([v == 255]), more)
    if clothes == "deep":
        return png(rows, grey, 16, lambda v: struct.pack(">H", v * 257))
    if clothes == "deep10":
        return png(rows, grey, 16, lambda v: struct.pack(">H", v * 1023 // 255))
    if clothes == "turned":
        lying = [list(row) for row in zip(*rows)][::-1]  # to the left
        exif = b"MM\0\x2a" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)
        return png(lying, grey, 8, lambda v: bytes([v]), chunk(b"eXIf", exif))
    sys.exit(f"no clothes {clothes}")


source, out, clothes = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
for path in sorted(source.rglob("*.png")):
    target = out / path.relative_to(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(dressed(read(path), clothes))
