"""Tests of the server's watch."""
