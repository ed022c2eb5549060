"""Damage to files and crystals of every size, each from a random state that gives it again."""

import random
import re
from collections.abc import Callable, Sequence

import numpy as np
from pymatgen.core import Element, Lattice, Structure

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
EXTREMES = (
    *(b"0", b"-0.0", b"-1", b"1", b"2", b"500", b"501", b"9999999999999999999", b"-9223372036854775808"),
    *(b"1e308", b"-1e308", b"1e999", b"-1e999", b"5e-324", b"1e-9", b"nan", b"inf", b"-inf", b"NaN", b"0x10"),
    *(b"1e5", b"1e3", b"0.5", b"0.3333", b"90", b"120", b"179.99", b"0.01", b"180", b"1_000", b"1/3", b".", b"?"),
    *(b"9" * 4301, b"0." + b"1" * 400, b"10000000000000", b"\xd9\xa3", b"1(999999999)", b"1e-300", b"0.4999"),
)
WORDS = (
    *(
        b"D",
        b"X",
        b"Og",
        b"Qq",
        b"Uuo",
        b"T",
        b"'",
        b'"',
        b";",
        b"#",
        b"_",
        b"loop_",
        b"data_",
        b"save_",
        b"stop_",
    ),
    *(b"<script>", b"</script>", b"{{7*7}}", b"${7*7}", b"$$", b":red[x]", b"../../x", b"\0", b"\r", b"\n", b"\t"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"{", b"}", b"[", b"]", b"&a", b"*a", b"<<:", b"!!python/x"),
    *(b"x,y,z", b"-x,-y,-z", b"x,y,0", b"x+1/2,y,z", b"2x,y,z", b"a,b,c;0,0,0", b"Fm-3m", b"P 1", b"I a -3 d"),
    *(b"<!DOCTYPE x>", b"<modeling>", b"</modeling>", b"Lattice=", b"pbc", b"Properties=", b"CRYSTAL", b"null"),
    *(
        b"_atom_site_occupancy",
        b"_symmetry_space_group_name_H-M",
        b"_cell_length_a",
        b"true",
        b"%BLOCK",
        b"&system",
    ),
    *(b"angstrom", b"bohr", b"ibrav=2", b"celldm(1)=1e9", b"nat=999999999", b"Cartesian", b"Selective", b"units"),
)

Change = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def flip(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Some bits another."""
    found = bytearray(content)
    for _one in range(rng.choice((1, 1, 2, 8, 64))):
        if found:
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def number(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Some numbers extreme ones, or a little or much larger."""
    places = list(NUMBER.finditer(content))
    for place in sorted(
        rng.sample(places, min(len(places), rng.choice((1, 1, 2, 5)))), key=lambda one: -one.start()
    ):
        new = rng.choice(EXTREMES)
        if rng.random() < 0.4:
            factor = rng.choice((0.5, 0.99, 1.01, 2.0, 10.0, 1e3, 1e-3, -1.0))
            new = f"{float(place[0]) * factor:.8g}".encode()
        content = content[: place.start()] + new + content[place.end() :]
    return content


def word(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """A word exchanged, or one put in that means something."""
    words = list(re.finditer(rb"\S+", content))
    if not words:
        return rng.choice(WORDS)
    one, new = rng.choice(words), rng.choice(WORDS)
    if rng.random() < 0.3:
        new = rng.choice(words)[0]
    end = one.start() if rng.random() < 0.3 else one.end()
    return content[: one.start()] + new + content[end:]


def line(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Lines taken out, repeated, exchanged or joined."""
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines[one:one] = [lines[other]] * rng.choice((1, 2, 50, 600))
    elif kind == 2:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines[one] += b" " + lines[other]
    return b"\n".join(lines)


def cut(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Ended early, or a stretch taken out."""
    start = rng.randrange(len(content) + 1)
    return content[:start] + (content[start + rng.randint(1, 200) :] if rng.random() < 0.6 else b"")


def splice(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """The beginning of one and the end of another, or one in the middle of another."""
    other = rng.choice(others)
    start, end = rng.randrange(len(content) + 1), rng.randrange(len(other) + 1)
    if rng.random() < 0.5:
        return content[:start] + other[end:]
    return content[:start] + other[end : end + rng.randint(1, 300)] + content[start:]


def repeat(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """A stretch many times."""
    start = rng.randrange(len(content) + 1)
    piece = content[start : start + rng.randint(1, 80)]
    times = min(rng.choice((2, 10, 100, 3000)), 200_000 // max(1, len(piece)))
    return content[:start] + piece * times + content[start:]


def encoding(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Another encoding or other line ends."""
    text = content.decode("latin-1")
    kind = rng.randrange(5)
    if kind == 0:
        return text.encode("utf-16")
    if kind == 1:
        return b"\xef\xbb\xbf" + content
    return content.replace(b"\n", (b"\r\n", b"\r", b" ")[kind - 2])


CHANGES: tuple[Change, ...] = (flip, number, number, number, word, word, line, cut, splice, repeat, encoding)


def damaged(
    content: bytes, rng: random.Random, others: Sequence[bytes], changes: Sequence[Change] = CHANGES
) -> bytes:
    """One to five changes; at most 300 kB."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        content = rng.choice(changes)(content or b" ", rng, others)
    return content[:300_000]


def lattice(rng: random.Random) -> np.ndarray:
    """[3, 3] Å: of all kinds, among them left-handed, needles, sheets and cells skewed beyond sense."""
    rows = np.array([[rng.gauss(0, 1) for _ in range(3)] for _ in range(3)])
    if rng.random() < 0.5:
        rows = np.eye(3) + 0.2 * rows
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows *= [[10 ** rng.uniform(0.3, rng.choice((1, 1, 1, 2, 2.7)))] for _ in range(3)]
    kind = rng.randrange(8)
    if kind == 0:
        rows[2] = rows[1] * rng.uniform(0.5, 2) + rows[2] * 10 ** rng.uniform(-12, -1)  # nearly flat
    elif kind == 1:
        rows = rows[[1, 0, 2]]
    elif kind == 2:
        rows = np.rint([[rng.gauss(0, 10 ** rng.uniform(0, 4)) for _ in range(3)] for _ in range(3)]) @ rows
    elif kind == 3:
        for _ in range(rng.randint(1, 4)):
            i, j = rng.sample(range(3), 2)
            rows[i] += rng.randint(-(10 ** rng.randint(1, 7)), 10 ** rng.randint(1, 7)) * rows[j]
    elif kind == 4:
        rows *= 10 ** rng.uniform(-6, 6)
    elif kind == 5:
        rows[rng.randrange(3)] *= 10 ** rng.uniform(-5, 3)
    return rows


def crystal(rng: random.Random) -> Structure:
    """A crystal of any elements in any cell, atoms anywhere: most of them could not exist."""
    count = rng.choice((1, 1, 2, 2, 3, 5, 8, 20, 60))
    rows = lattice(rng)
    with np.errstate(all="ignore"):
        volume = abs(np.linalg.det(rows))
        if rng.random() < 0.7 and np.isfinite(volume) and volume > 0:  # as dense as crystals are
            rows = rows * (count * rng.uniform(5, 40) / volume) ** (1 / 3)
    places = np.array([[rng.random() for _ in range(3)] for _ in range(count)])
    kind = rng.randrange(8)
    if kind == 0:
        places *= 10 ** rng.uniform(0, 12)
    elif kind == 1:
        places -= rng.randint(-1000, 1000)
    elif kind == 2 and count > 1:
        places[1] = places[0] + 10 ** rng.uniform(-14, -1) * places[1]
    elif kind == 3:
        places = np.rint(places * 4) / 4
    kinds = [rng.randint(1, 118) for _ in range(rng.randint(1, 4))]
    elements = [Element.from_Z(rng.choice(kinds)) for _ in range(count)]
    return Structure(Lattice(rows), elements, places)
