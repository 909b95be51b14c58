"""Reports on what is stored: back-tests and replays. Everything here only reads, and speaks of ids, never of names."""
