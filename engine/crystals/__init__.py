"""One crystal: read, checked, as a graph."""
