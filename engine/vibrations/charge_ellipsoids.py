"""Born charges as shapes: the ellipsoid that the symmetric part of a charge makes of a sphere.

An ion that moves by s changes the dipole of the crystal by Z s. Of the symmetric part S = (Z + Z^T) / 2, the
points S s of all unit vectors s are an ellipsoid: its axes are the eigenvectors of S, its half axes the sizes of
the eigenvalues. What is antisymmetric in Z is not in it.
"""

from dataclasses import dataclass

import numpy as np

from engine.tensors.sphere import sphere

THINNEST = 0.02  # e; a half axis below this leaves the ellipsoid without a body
_AROUND = np.linspace(0, 2 * np.pi, 49)


@dataclass(frozen=True, kw_only=True, eq=False)
class ChargeEllipsoid:
    """Half axes of one ion's charge, in e.

    Attributes:
        axes: [3, 3] rows are unit vectors.
        charges: [3] along them, ascending, negative ones too.
    """

    axes: np.ndarray
    charges: np.ndarray

    @property
    def _body(self) -> np.ndarray:
        """[3, 3] what makes the ellipsoid of a sphere, positive."""
        return (self.axes.T * np.maximum(np.abs(self.charges), THINNEST)) @ self.axes

    def points(self, subdivisions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The closed surface around the origin: vertices, normals, faces, and the charge along each direction.

        Returns:
            [V, 3] e, [V, 3] unit vectors that point outwards, [F, 3], and [V] s S s in e, negative for an anion.
        """
        directions, faces = sphere(subdivisions)
        normals = directions @ np.linalg.inv(self._body)
        along = ((directions @ self.axes.T) ** 2 * self.charges).sum(1)
        return (
            directions @ self._body,
            normals / np.linalg.norm(normals, axis=1, keepdims=True),
            faces,
            along,
        )

    def outline(self, across: np.ndarray, up: np.ndarray) -> np.ndarray:
        """[P, 2] the edge of the ellipsoid as it is seen at a right angle to two unit vectors [3], e."""
        turned, stretched, _ = np.linalg.svd(np.stack([across, up]) @ self._body)
        return np.stack([np.cos(_AROUND), np.sin(_AROUND)], axis=1) * stretched @ turned.T


def charge_ellipsoid(charge: np.ndarray) -> ChargeEllipsoid:
    """The ellipsoid of a Born charge, [3, 3] e."""
    charges, axes = np.linalg.eigh((charge + charge.T) / 2)
    return ChargeEllipsoid(axes=axes.T, charges=charges)
