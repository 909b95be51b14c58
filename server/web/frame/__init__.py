"""What answers have in common: who asks, in which language, and the frame around what was asked for."""
