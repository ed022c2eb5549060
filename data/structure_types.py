"""Which crystals of an ID have one of the structure types that have a name: written to structure_types.csv.

    python data/structure_types.py

compares each crystal that Look up opens for an ID with the prototypes of its space group in the AFLOW Library of
Crystallographic Prototypes (Mehl et al., Comput. Mater. Sci. 136, S1 (2017)), by pymatgen, whatever the elements.
Several prototypes may share a label; where the nearest of them has no name here, the crystal gets none.
"""

import csv
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from pymatgen.analysis.prototypes._data import AFLOW_PROTOTYPE_LIBRARY
from pymatgen.analysis.prototypes.matcher import PrototypeDatabaseMatcher
from pymatgen.core import Element

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.crystals.material import Material
from engine.crystals.primitive import primitive
from engine.data.catalogue import catalogued, indexed
from engine.data.datasets import EMBEDDED, load_dataset

OUT = Path(__file__).with_name("structure_types.csv")
# The share of anions; with cations in their place it is the opposite type.
ANTI = {"fluorite": 2 / 3, "perovskite": 3 / 5, "spinel": 4 / 7, "corundum": 3 / 5, "cuprite": 1 / 3}
NAMED = {  # of prototypes that share a label, by formula
    ("AB2_oP6_58_a_g", "FeS2"): "marcasite",
    ("A2B_oP12_62_2c_c", "PbCl2"): "cotunnite",
    ("ABC3_hR10_167_a_b_e", "CaCO3"): "calcite",
}
TYPES = {  # AFLOW label -> name
    "AB_cF8_225_a_b": "rock salt",
    "AB_cP2_221_b_a": "cesium chloride",
    "AB_cF8_216_c_a": "zinc blende",
    "AB_hP4_186_b_b": "wurtzite",
    "AB_hP4_194_c_a": "nickel arsenide",
    "AB_hP4_194_c_d": "hexagonal boron nitride",
    "A_cF8_227_a": "diamond",
    "A_hP4_194_f": "lonsdaleite",
    "AB2_cF12_225_a_c": "fluorite",
    "A2B_tP6_136_f_a": "rutile",
    "A2B_oP24_61_2c_c": "brookite",
    "A2B_mP12_14_2e_e": "baddeleyite",
    "A2B_hP9_152_c_a": "quartz",
    "AB2_hP3_164_a_d": "cadmium iodide",
    "AB2_hP6_194_c_f": "molybdenite",
    "AB2_cP12_205_a_c": "pyrite",
    "A2B_cP6_224_b_a": "cuprite",
    "A2B3_hR10_167_c_e": "corundum",
    "AB3C_hR10_148_c_f_c": "ilmenite",
    "AB3C_cP5_221_a_c_b": "perovskite",
    "A2BC4_cF56_227_d_a_e": "spinel",
    "ABC2_tI16_122_a_b_d": "chalcopyrite",
    "A2BC4D_tI16_121_d_a_i_b": "stannite",
    "A4BC_tI24_141_h_b_a": "zircon",
    "AB2C_cF16_225_a_c_b": "Heusler",
    "ABC_cF12_216_b_c_a": "half-Heusler",
    "A3B_cI32_204_g_c": "skutterudite",
    "A2B_cF24_227_d_a": "cubic Laves",
    "AB2_hP12_194_f_ah": "hexagonal Laves",
}


def structure_type(material: Material, library: pd.DataFrame) -> str:
    """The name of the type, as "rutile" or "antifluorite"; empty where there is none."""
    groups = library.aflow.str.split("_").str[2].astype(int)
    rows = library[groups == material.space_group_number]
    if not len(rows):
        return ""
    found = PrototypeDatabaseMatcher(rows[["snl", "tags"]].reset_index(drop=True)).get_prototypes(
        primitive(material.structure)
    )
    names = {_name(one) for one in found or []}
    if len(names) != 1:
        return ""
    (name,) = names
    return f"anti{name}" if name in ANTI and _has_cations_there(material, ANTI[name]) else name


def _has_cations_there(material: Material, share: float) -> bool:
    """Whether atoms of this share are not of the most electronegative element; hydrogen counts as an anion."""
    composition = material.structure.composition
    anions = {Element("H"), max(composition.elements, key=lambda one: one.X)}
    return all(abs(composition.get_atomic_fraction(one) - share) > 1e-6 for one in anions)


def _name(prototype: dict[str, Any]) -> str:
    """Empty for one without a name here."""
    label, formula = prototype["tags"]["aflow"], prototype["snl"].structure.composition.reduced_formula
    return TYPES.get(label) or NAMED.get((label, formula), "")


def main() -> None:
    """Write a line a crystal that has a type."""
    library = pd.DataFrame(AFLOW_PROTOTYPE_LIBRARY)
    library["aflow"] = [tags["aflow"] for tags in library.tags]
    library = library[library.aflow.isin([*TYPES, *(label for label, _ in NAMED)])]
    learnt = [*load_dataset(EMBEDDED[0]), *indexed()]
    seen: dict[str, Material] = {}
    for material in [*learnt, *catalogued(learnt)]:
        if material.material_id:
            seen.setdefault(material.material_id, material)
    with OUT.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["material_id", "shown", "type"])
        for material_id, material in sorted(seen.items(), key=lambda item: int(item[0].split("-")[1])):
            name = structure_type(material, library)
            if name:
                table.writerow([material_id, material.source, name])


if __name__ == "__main__":
    main()
