"""Tests of the server's notify."""
