"""Networks as they ship and answer."""
