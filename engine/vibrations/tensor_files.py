"""The tensors for programs that correct the energies of charged defects; all in the structure's Cartesian axes."""

import numpy as np
import yaml


def pydefect_unitcell(formula: str, electronic: np.ndarray, ionic: np.ndarray) -> str:
    """unitcell.yaml of pydefect, and in its comments what doped and sxdefectalign take, a line each to paste.

    Band edges are left for its user, whose functional they must have. doped 3.2 was given its line and computed
    the correction of a vacancy in rutile. sxdefectalign, which no package index has, was not run: its line is as
    the source of version 3.0 reads it.
    """
    content = {
        "system": formula,
        "vbm": None,
        "cbm": None,
        "ele_dielectric_const": electronic.tolist(),
        "ion_dielectric_const": ionic.tolist(),
    }
    head = (
        "# In the Cartesian axes of the structure, which those of a supercell must be. Fill in vbm and cbm, eV.",
        "# For doped, DefectsParser(..., dielectric=dielectric):",
        f"# dielectric = {doped_dielectric(electronic + ionic)}",
        "# For sxdefectalign 3.0:",
        f"# {sxdefectalign_tensor(electronic + ionic)}",
    )
    return "\n".join([*head, yaml.safe_dump(content, sort_keys=False)])


def doped_dielectric(total: np.ndarray) -> str:
    """The argument `dielectric` of doped's DefectsParser, Python and JSON."""
    return str((np.round(total, 6) + 0.0).tolist())


def sxdefectalign_tensor(total: np.ndarray) -> str:
    """The option --tensor of sxdefectalign: xx, yy, zz, yz, xz, xy."""
    values = [total[index] for index in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))]
    return "--tensor " + ",".join(f"{round(value, 6) + 0.0:.6f}" for value in values)
