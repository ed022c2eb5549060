"""The remote side: what Materials Project has and this machine does not."""
