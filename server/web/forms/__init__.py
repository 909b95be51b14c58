"""What is typed in, read strictly: a value, or a message beside its field."""
