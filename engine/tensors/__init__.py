"""A 3x3 tensor and what follows from it; pure."""
