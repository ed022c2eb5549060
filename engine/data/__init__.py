"""Many crystals on this machine."""
