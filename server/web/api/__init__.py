"""What the API's answers are made of."""
