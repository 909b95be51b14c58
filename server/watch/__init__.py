"""Judges whoever is due: the slate remembers, the rules decide, and what they say is saved in one transaction."""
