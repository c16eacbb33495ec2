"""The README's picture: five drawings of characters of alphabets that a run was never
trained on, and what it draws after seeing them.

    protean train --config configs/omniglot/deform.ini --run.dir RUN
    python3 tests/golden/characters.py build/protean RUN images_background.zip OUT.png

Needs Pillow. The characters are every seventh of the test alphabets, by name.
"""
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from PIL import Image

ALPHABETS = ["Anglo-Saxon_Futhorc", "Armenian", "Balinese"]
EVERY, SHOTS, SAMPLES, SIDE, SCALE, ROWS = 7, 5, 12, 28, 2, 10


def drawings(archive):
    """Folder of each chosen character -> its first drawings, as PNG bytes."""
    names = sorted(n for n in archive.namelist() if n.endswith(".png") and "__MACOSX" not in n)
    classes = {}
    for name in names:
        path = pathlib.PurePosixPath(name)
        if path.parts[-3] in ALPHABETS:
            classes.setdefault(str(path.parent), []).append(name)
    chosen = sorted(classes)[::EVERY][:ROWS]
    return {c: [archive.read(n) for n in classes[c][:SHOTS]] for c in chosen}


def generated(protean, run, images, folder):
    support = folder / "support"
    support.mkdir()
    for i, image in enumerate(images):
        (support / f"{i}.png").write_bytes(image)
    out = folder / "out"
    subprocess.run([protean, "generate", "--run", run, "--support", support, "--count",
                    str(SAMPLES), "--resize", "nearest", "--ink", "dark", "--out", out], check=True,
                   stdout=subprocess.DEVNULL)
    return [Image.open(p).convert("L") for p in sorted(out.glob("*.png")) if p.name != "grid.png"]


def main(protean, run, archive, target):
    cell = SIDE * SCALE + 2
    gap = cell // 2
    with zipfile.ZipFile(archive) as z:
        rows = drawings(z)
    sheet = Image.new("L", ((SHOTS + SAMPLES) * cell + gap, len(rows) * cell), 255)
    for r, (name, images) in enumerate(rows.items()):
        with tempfile.TemporaryDirectory() as folder:
            made = generated(protean, run, images, pathlib.Path(folder))
        real = [Image.open(io.BytesIO(i)).convert("L").resize((SIDE, SIDE), Image.NEAREST) for i in images]
        for c, image in enumerate(real + made):
            x = c * cell + (gap if c >= SHOTS else 0)
            sheet.paste(image.resize((SIDE * SCALE,) * 2, Image.NEAREST), (x + 1, r * cell + 1))
    sheet.convert("1").save(target, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
