"""Tells people that something waits for them: rows of the outbox, delivered through a channel, every attempt a row."""
