"""The model as an ASE calculator."""

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from engine.errors import required
from engine.prediction.predictor import Predictor


class DielectricCalculator(Calculator):
    """Gives `dielectric_tensor`, [3, 3] in the axes of the atoms: the total tensor, or the one that there is.

    And `born_effective_charges`, [N, 3, 3] e, first index the field, where the model has them.

    atoms.calc = DielectricCalculator(); atoms.calc.get_property("dielectric_tensor", atoms)
    """

    implemented_properties = ["dielectric_tensor", "born_effective_charges"]  # noqa: RUF012  # ASE declares it

    def __init__(self, model: str | None = None, device: str = "auto") -> None:
        """Load a model as `Predictor.load` does; raises EngineError where there is none."""
        super().__init__()
        self.predictor = Predictor.load(model, device)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Predict for `atoms`; raises EngineError unless they are a crystal, periodic in three directions."""
        super().calculate(atoms, properties or self.implemented_properties, system_changes)
        crystal = required(self.atoms, "the calculator needs atoms; give it a crystal as ASE Atoms")
        prediction = self.predictor.predict(crystal)
        found = (prediction.total, prediction.electronic, prediction.ionic)
        self.results["dielectric_tensor"] = next(tensor for tensor in found if tensor is not None)
        if prediction.born_charges is not None:
            self.results["born_effective_charges"] = prediction.born_charges
