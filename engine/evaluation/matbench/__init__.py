"""The matbench_dielectric benchmark and its own readouts."""
