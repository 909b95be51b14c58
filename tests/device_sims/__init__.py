"""Tests of everything that pretends."""
