"""Tests of the server's db."""
