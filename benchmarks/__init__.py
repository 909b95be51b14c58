"""Reproducible measurements, each beside a limit or a peer in the same run; a figure alone says little."""
