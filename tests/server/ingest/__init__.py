"""Tests of the server's ingest."""
