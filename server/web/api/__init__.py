"""What the routes of the API share: who calls, and what their answers are made of."""
