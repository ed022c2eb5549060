"""From graph to tensor: the equations."""
