"""Many crystals at once: an input taken stock of, predicted part by part in many processes, as one table."""
