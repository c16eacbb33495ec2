"""make_languages.py FOLDER: 24 invented languages as texts, the shipped sample of
data.source = text (configs/text/languages); the same bytes every time. Each has
its own letters, syllables, words, endings and punctuation."""
import pathlib
import random
import sys

CONSONANTS = "b c d f g h j k l m n p q r s t v w x z ch sh th ng kh ts ll rr".split()
VOWELS = "a e i o u y ä ö ü é ae ai au ei ou".split()


def language(draw):
    consonants = draw.sample(CONSONANTS, draw.randint(6, 12))
    vowels = draw.sample(VOWELS, draw.randint(2, 5))
    templates = draw.sample(["cv", "cvc", "vc", "v", "ccv"], draw.randint(1, 3))
    if templates == ["v"]:
        templates = ["cv"]

    def syllable():
        return "".join(draw.choice(consonants if c == "c" else vowels) for c in draw.choice(templates))

    def word(low, high):
        return "".join(syllable() for _ in range(draw.randint(low, high)))

    small = [word(1, 1) for _ in range(draw.randint(3, 8))]
    stems = [word(1, 3) for _ in range(70)]
    endings = [""] * draw.randint(0, 4) + [draw.choice(vowels) + draw.choice(["", draw.choice(consonants)])
                                           for _ in range(draw.randint(1, 5))]
    return {
        "small": small,
        "stems": stems,
        "endings": endings,
        "weights": [1 / (i + 2) for i in range(len(stems))],
        "small_share": draw.uniform(0.1, 0.4),
        "words": draw.randint(3, 6),
        "comma": draw.choice([",", ",", ";", " -"]),
        "ends": draw.choice([".", ".", "!", "...", " |"]),
        "capitals": draw.random() < 0.6,
        "hyphens": draw.random() < 0.2,
    }


def sentence(lang, draw):
    words = []
    for _ in range(draw.randint(lang["words"], lang["words"] + 5)):
        if draw.random() < lang["small_share"]:
            words.append(draw.choice(lang["small"]))
        else:
            stem = draw.choices(lang["stems"], lang["weights"])[0]
            words.append(stem + draw.choice(lang["endings"]))
        if draw.random() < 0.12:
            words[-1] += lang["comma"]
    text = ("-" if lang["hyphens"] else " ").join(words)
    text = text.rstrip(",;- ")
    return (text[0].upper() + text[1:] if lang["capitals"] else text) + lang["ends"]


top = pathlib.Path(sys.argv[1])
for number in range(24):
    draw = random.Random(1000 + number)
    lang = language(draw)
    split = "train" if number < 16 else "validation" if number < 19 else "test"
    lines, size = [], 0
    while size < 3000:
        lines.append(sentence(lang, draw))
        size += len(lines[-1]) + 1
    (top / split).mkdir(parents=True, exist_ok=True)
    (top / split / f"language{number:02}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
