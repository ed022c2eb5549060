"""A tensor, dielectric, elastic or piezoelectric, and what follows from it; pure."""
