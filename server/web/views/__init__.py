"""Frozen values that templates show. Built from rows and alerts; no template touches a row or a session."""
