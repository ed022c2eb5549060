"""Directions spread evenly, and triangles between them."""

from functools import lru_cache

import numpy as np


@lru_cache
def sphere(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors [V, 3] spread evenly, triangles [F, 3] between them: an icosahedron, its faces cut in four."""
    golden = (1 + 5**0.5) / 2
    flat = np.array([[-1, golden, 0], [1, golden, 0], [-1, -golden, 0], [1, -golden, 0]]) / np.hypot(1, golden)
    vertices = np.vstack([np.roll(flat, turns, axis=1) for turns in range(3)])  # [12, 3]
    faces = np.array([
        [0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4], [11, 10, 2], [10, 7, 6],
        [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9], [4, 9, 5], [2, 4, 11], [6, 2, 10],
        [8, 6, 7], [9, 8, 1],
    ])  # fmt: skip
    for _ in range(subdivisions):
        vertices, faces = _subdivided(vertices, faces)
    return vertices, faces


def _subdivided(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2)  # [F, 3, 2]
    pairs, middle = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    added = vertices[pairs].sum(axis=1)
    added /= np.linalg.norm(added, axis=1, keepdims=True)
    ab, bc, ca = (middle.reshape(-1, 3) + len(vertices)).T
    a, b, c = faces.T
    parts = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return np.vstack([vertices, added]), np.vstack([np.stack(part, axis=1) for part in parts])
