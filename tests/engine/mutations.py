"""Changes of a CIF: some that keep its crystal, and some that may not."""

import random
import re
from collections.abc import Callable

_TAG = re.compile(r"^\s*(_[^\s]+)")
_NUMBER = re.compile(r"(?<![\w.+/-])(-?)(\d*\.\d+)(?![\w.+/(-])")


def _loops(lines: list[str]) -> list[tuple[int, int]]:
    """First and last-but-one line of the values of each simple loop of atoms."""
    found = []
    for start, line in enumerate(lines):
        if line.strip().lower() != "loop_":
            continue
        first = start + 1
        while first < len(lines) and _TAG.match(lines[first]):
            first += 1
        tags = " ".join(lines[start + 1 : first]).lower()
        last = first
        while last < len(lines) and lines[last].strip() and lines[last].split()[0][0] not in "_#;":
            if lines[last].split()[0].lower().startswith(("loop_", "data_")):
                break
            last += 1
        if re.search(r"_atom_site[_.]fract_x", tags):
            found.append((first, last))
    return found


def shuffled_atoms(text: str, rng: random.Random) -> str:
    """The atoms in another order."""
    lines = text.split("\n")
    for first, last in _loops(lines):
        width = first - max(i for i in range(first) if lines[i].strip().lower() == "loop_") - 1
        atoms = lines[first:last]
        if all(len(atom.split()) == width and "'" not in atom and '"' not in atom for atom in atoms):
            rng.shuffle(atoms)
            lines[first:last] = atoms
    return "\n".join(lines)


def other_case(text: str, rng: random.Random) -> str:
    """Some tags in capitals."""
    lines = text.split("\n")
    return "\n".join(_TAG.sub(lambda tag: tag[0].upper(), line) if rng.random() < 0.5 else line for line in lines)


def comments(text: str, rng: random.Random) -> str:
    """Comments and empty lines, where there is no text of several lines."""
    lines = text.split("\n")
    return "\n".join(
        line + (rng.choice(["\n# x_y 1", "\n", "\n  "]) if rng.random() < 0.2 else "") for line in lines
    )


def spaces(text: str, rng: random.Random) -> str:
    """Tabs and more spaces between the words of some lines that have no quotes."""
    return "\n".join(
        re.sub(r"(?<=\S) +(?=\S)", rng.choice(["  ", "\t", " \t "]), line)
        if not re.search("['\"#]", line) and rng.random() < 0.5
        else line
        for line in text.split("\n")
    )


def line_ends(text: str, rng: random.Random) -> str:
    """Those of Windows."""
    return text.replace("\n", "\r\n")


def longer_numbers(text: str, rng: random.Random) -> str:
    """Zeros behind decimals, and leading zeros of them left out or written."""

    def written(found: re.Match) -> str:
        digits = found[2] + "0" * rng.randint(0, 2)
        return found[1] + (digits.removeprefix("0") if rng.random() < 0.5 else digits)

    lines = text.split("\n")
    return "\n".join(line if re.search("['\"#/xyzXYZ_]", line) else _NUMBER.sub(written, line) for line in lines)


def quoted(text: str, rng: random.Random) -> str:
    """Values behind some tags between quotes."""

    def quotes(found: re.Match) -> str:
        mark = rng.choice("'\"")
        return f"{found[1]}{mark}{found[2]}{mark}" if rng.random() < 0.5 else found[0]

    return re.sub(
        r"(?m)^(\s*_(?:cell|symmetry|space_group|chemical_formula)\S*[ \t]+)([^\s'\";#]+)[ \t]*$", quotes, text
    )


def other_order(text: str, rng: random.Random) -> str:
    """Lines of a tag and its value in another order, within each run of them."""
    lines, start = text.split("\n"), 0
    pair = re.compile(r"^_\S+[ \t]+('[^']*'|\"[^\"]*\"|[^\s'\"#;]+)[ \t]*$")
    while start < len(lines):
        end = start
        while end < len(lines) and pair.match(lines[end]):
            end += 1
        run = lines[start:end]
        rng.shuffle(run)
        lines[start:end] = run
        start = end + 1
    return "\n".join(lines)


KEEPING: tuple[Callable[[str, random.Random], str], ...] = (
    shuffled_atoms,
    other_case,
    comments,
    spaces,
    line_ends,
    longer_numbers,
    quoted,
    other_order,
)


def kept(text: str, rng: random.Random) -> str:
    """One to three changes that keep the crystal; without those that a text of several lines would not bear."""
    of_lines = re.search(r"(?m)^;", text)
    allowed = [one for one in KEEPING if one is line_ends or not of_lines]
    for change in rng.sample(allowed, min(len(allowed), rng.randint(1, 3))):
        text = change(text, rng)
    return text


def damaged(text: str, rng: random.Random) -> str:
    """Something taken out, put in, or exchanged."""
    place, kind = rng.randrange(len(text)), rng.randrange(4)
    if kind == 0:
        return text[:place] + text[place + rng.randint(1, 30) :]
    if kind == 1:
        junk = "".join(rng.choice("0123456789.-+xyz,_;'\"# \nAbC") for _ in range(rng.randint(1, 6)))
        return text[:place] + junk + text[place:]
    if kind == 2:
        return text[:place] + rng.choice("0123456789.-xyz") + text[place + 1 :]
    lines = text.split("\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)
