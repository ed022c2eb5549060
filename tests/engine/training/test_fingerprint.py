"""A kept network is taken up again only where data, configuration and code are those that made it."""

from dataclasses import replace

import pytest

from engine.data.parquet import write_materials
from engine.training import fingerprint
from engine.training.fingerprint import code_fingerprint
from engine.training.fold_training import NetworkJob, train_networks
from tests.engine.small import config, materials

SOURCE = '"""A head."""\n\n\ndef head(x: float) -> float:\n    """Twice x."""\n    return 2 * x  # doubled\n'


@pytest.fixture
def code(tmp_path):
    """Writes a package of one module and gives its fingerprint."""

    def write(source):
        (tmp_path / "network").mkdir(exist_ok=True)
        (tmp_path / "network" / "heads.py").write_text(source)
        return code_fingerprint(["network"], folder=tmp_path)

    return write


@pytest.fixture
def job(tmp_path):
    write_materials(tmp_path / "small.parquet", materials(20))
    return NetworkJob(
        data=str(tmp_path / "small.parquet"),
        config=config(epochs=1),
        held_out=frozenset(),
        folder=tmp_path / "network",
        name="network",
    )


def test_another_statement_is_other_code(code):
    assert code(SOURCE) != code(SOURCE.replace("2 * x", "3 * x"))


def test_comments_docstrings_and_layout_are_not_code(code):
    spoken = SOURCE.replace("# doubled", "").replace("Twice x.", "The double of x.").replace("2 * x", "2*x")
    assert code(SOURCE) == code(spoken)


def test_data_configuration_and_what_is_held_out_count_too(job):
    others = (
        replace(job, config=config(epochs=2)),
        replace(job, data="petousis-2017"),
        replace(job, held_out=frozenset({"GaN"})),
    )
    assert len({other.fingerprint for other in (job, *others)}) == 4


def test_a_network_is_not_trained_again_until_the_code_that_shapes_it_changes(job, monkeypatch):
    job.run()
    assert job.is_done()
    train_networks([job])
    monkeypatch.setattr(fingerprint, "_statements", lambda module: "other code")
    assert not job.is_done()
