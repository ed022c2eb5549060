"""Numbers that networks and vibrations share, where no library comes along with them."""

UNIT = 180.9512801  # e^2 / epsilon_0, eV Å
SOFTEST = 0.3  # eV/Å^2, see springs.py
UNSTABLE = 10.0  # how many times its |k| an unstable mode is stiff, which takes it nearly out of the sum
SYMMETRY_TOLERANCE = 1e-3  # Å, within which atoms count as equivalent where force constants are symmetrised
