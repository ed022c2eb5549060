"""What a server of the dashboard needs besides its pages: limits, turns, logs, metrics."""
