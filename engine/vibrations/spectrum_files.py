"""Spectra as files: the permittivity as CSV, refractive indices as refractiveindex.info has them."""

import numpy as np
import pandas as pd
import yaml

from engine.errors import check
from engine.vibrations.units import from_wavenumber

COMPONENTS = ("xx", "yy", "zz", "yz", "xz", "xy")
_PLACES = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def permittivity_csv(wavenumber: np.ndarray, permittivity: np.ndarray, unit: str) -> str:
    """A row for each frequency: it, in the unit that its column names, then real and imaginary part of components.

    Args:
        wavenumber: [F] cm^-1.
        permittivity: [F, 3, 3] complex, in the structure's Cartesian axes.
        unit: one of `units.UNITS`.
    """
    columns = {f"frequency_{unit}": from_wavenumber(wavenumber, unit)}
    for name, (row, column) in zip(COMPONENTS, _PLACES, strict=True):
        value = permittivity[:, row, column]
        columns |= {f"permittivity_{name}_real": value.real, f"permittivity_{name}_imaginary": value.imag}
    return pd.DataFrame(columns).to_csv(index=False)


def refractive_index_yaml(wavenumber: np.ndarray, index: np.ndarray, comments: str) -> str:
    """Tabulated n and k of refractiveindex.info against the wavelength in µm, ascending.

    Args:
        wavenumber: [F] cm^-1, above zero.
        index: [F] complex.
        comments: what the numbers are, a paragraph.

    Raises:
        EngineError: a frequency is zero, which has no wavelength.
    """
    check(bool((wavenumber > 0).all()), "a table against the wavelength needs frequencies above zero")
    wavelength = from_wavenumber(wavenumber, "µm")
    rows = sorted(zip(wavelength.tolist(), index.real.tolist(), index.imag.tolist(), strict=True))
    data = "\n".join(f"{length:.6g} {n:.6g} {k:.6g}" for length, n, k in rows)
    head = yaml.safe_dump({"COMMENTS": comments}, width=100, allow_unicode=True)
    body = "\n".join(f"        {line}" for line in data.splitlines())
    return f"{head}DATA:\n  - type: tabulated nk\n    data: |\n{body}\n"
