"""The words, numbers and bytes that every part of Varde shares; standard library only."""
