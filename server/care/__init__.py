"""What people decide: who is followed up, by which team, with which kit and plan. The caller owns the transaction."""
