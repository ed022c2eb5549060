"""What the Theory and Demo pages show."""
