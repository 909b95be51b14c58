"""What answers have in common: who asks, in which language, what changed meanwhile, and how it is rendered."""
