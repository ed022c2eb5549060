"""Near is like a training crystal, far is like none."""

import pytest
import torch

from engine.model.neighbourhood import Neighbourhood

FORMULAS = [f"A{i // 2}B" for i in range(200)]


@pytest.fixture(scope="module")
def features():
    return torch.randn(200, 40, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def near(features):
    return Neighbourhood.of(features, FORMULAS)


def test_a_training_crystal_is_at_no_distance_unless_its_own_formula_is_left_out(near, features):
    assert near.distances(features[:1], ["new"]).item() == pytest.approx(0, abs=1e-3)
    assert near.distances(features[:1], FORMULAS[:1]).item() > 0.3


def test_the_usual_distance_between_training_crystals_is_one(near, features):
    distances = near.distances(features, FORMULAS)
    assert distances.median().item() == pytest.approx(1, abs=0.02)
    assert (distances > near.far).float().mean().item() == pytest.approx(0.01, abs=0.006)


def test_a_crystal_beyond_all_others_is_far(near, features):
    direction = near.projection[:, :1].T / near.projection[:, 0].norm()
    assert near.distances(features.mean(0) + 20 * direction, ["new"]).item() > near.far


def test_fewer_crystals_than_dimensions_still_have_distances(features):
    few = Neighbourhood.of(features[:4], FORMULAS[:4])
    assert torch.isfinite(few.distances(features[50:52], ["X", "Y"])).all()


def test_the_nearest_formulas_come_in_order_each_once_and_without_the_crystals_own(near, features):
    (found,) = near.nearest(features[:1], FORMULAS[:1], 5)
    distances = [neighbour.distance for neighbour in found]
    assert len({neighbour.formula for neighbour in found} - {FORMULAS[0]}) == 5
    assert distances == sorted(distances)
    assert distances[0] == pytest.approx(near.distances(features[:1], FORMULAS[:1]).item(), rel=1e-4)


def test_the_gap_nearby_is_that_of_the_nearest_crystals_of_other_formulas(features):
    gaps = [0.0 if i < 100 else 4.0 for i in range(200)]
    apart = features + torch.tensor([[0.0 if gap else 30.0] for gap in gaps])
    near = Neighbourhood.of(apart, FORMULAS, gaps)
    assert near.gap(apart[[0, 199]], ["new", "new"]).tolist() == pytest.approx([0, 4], abs=1e-3)
    own = [0.0 if i < 2 else 4.0 for i in range(200)]  # those of the first formula alone are narrow
    assert Neighbourhood.of(features, FORMULAS, own).gap(features[:2], FORMULAS[:2]).min() == pytest.approx(4)


def test_where_no_gap_is_known_none_is_made_up(near, features):
    assert near.gap(features[:2], ["X", "Y"]).isnan().all()
