"""What a reader took otherwise than a file has it, in sentences that stand in `read_as`."""

DEUTERIUM = "Deuterium is taken as hydrogen."
OXIDATION = "Oxidation states are left out."


def taken(*, deuterium: bool = False, oxidation: bool = False) -> tuple[str, ...]:
    """The sentences for what is so."""
    return tuple(text for text, said in ((DEUTERIUM, deuterium), (OXIDATION, oxidation)) if said)
