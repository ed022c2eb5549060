"""What was measured in a laboratory."""
