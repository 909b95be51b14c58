"""Tests of the server's reports."""
