"""Tests of the server's care."""
