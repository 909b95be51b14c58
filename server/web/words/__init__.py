"""The words that pages show, in three languages."""
