"""Decides: readings and time in, alerts and facts out. Pure; standard library and vitals only."""
