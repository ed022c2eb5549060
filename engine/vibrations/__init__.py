"""How the ions of a crystal move, and what light sees of it."""
