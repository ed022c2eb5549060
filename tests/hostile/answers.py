"""The corpus put to the reader: what came of each file, what it cost, and whether it keeps the promises."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.crystals.reader import read_structures, shown_name
from engine.errors import EngineError
from tests.hostile.case import READ, Case
from tests.hostile.corpus import corpus
from tests.hostile.promises import plain, sound
from tests.hostile.usage import Usage, watched


@dataclass(frozen=True, kw_only=True)
class Told:
    """Of one case: how many crystals were read, or the sentence that refuses it, and what that cost."""

    case: Case
    crystals: int
    sentence: str
    usage: Usage

    @property
    def outcome(self) -> str:
        """In words."""
        return "refused" if self.sentence else "read"

    @property
    def broken(self) -> str:
        """What was expected and did not come, or what the sentence must not hold; empty where all is well."""
        if self.case.reason == READ:
            return "" if self.crystals == self.case.crystals else f"{self.crystals} crystals; {self.sentence}"
        if not re.search(self.case.reason, self.sentence):
            return f"not refused by {self.case.reason!r}: {self.sentence!r}"
        try:
            plain(self.sentence, f"{shown_name(self.case.file)}: ")
        except AssertionError as error:
            return str(error)
        return ""


def answers() -> Iterator[Told]:
    """Of every case, in order; raises what the reader raises beside its refusals."""
    for case in corpus():
        crystals, sentence = 0, ""
        with watched() as usage:
            try:
                found = read_structures(case.file, case.content)
                crystals = len(found)
            except EngineError as error:
                found, sentence = [], str(error)
        for structure in found:
            sound(structure)
        yield Told(case=case, crystals=crystals, sentence=sentence, usage=usage)
