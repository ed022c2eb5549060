"""What a network knows of an element before it sees a crystal."""

import torch
from pymatgen.core import Element
from torch import nn

from engine.crystals.material import MAX_Z


class AtomEmbedding(nn.Module):
    """[N] atomic numbers -> [N, width]: learned vectors of the element, its group and its period, plus mass.

    Group and period give an element that training never showed a sensible start.
    """

    group_of: torch.Tensor
    period_of: torch.Tensor
    mass_of: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        elements = [Element.from_Z(z) for z in range(1, MAX_Z + 1)]
        self.element = nn.Embedding(MAX_Z + 1, width)
        self.group = nn.Embedding(19, width)
        self.period = nn.Embedding(10, width)
        self.mass = nn.Linear(2, width, bias=False)
        mass = torch.tensor([float(e.atomic_mass) for e in elements])
        features = torch.stack([mass.log() - 4, (mass - 90) / 70], 1)  # centred on the middle of the table
        self.register_buffer("group_of", torch.tensor([0] + [e.group for e in elements]), persistent=False)
        self.register_buffer("period_of", torch.tensor([0] + [e.row for e in elements]), persistent=False)
        self.register_buffer("mass_of", torch.cat([torch.zeros(1, 2), features]), persistent=False)

    def forward(self, atomic_numbers: torch.Tensor) -> torch.Tensor:
        """[N, width] of atomic numbers [N]."""
        return (
            self.element(atomic_numbers)
            + self.group(self.group_of[atomic_numbers])
            + self.period(self.period_of[atomic_numbers])
            + self.mass(self.mass_of[atomic_numbers])
        )
