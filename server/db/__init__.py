"""The tables and the one place that knows which database they live in."""
