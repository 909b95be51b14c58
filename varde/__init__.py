"""The front door: the command line, the demo launcher, the doctor. Starts processes and holds no logic of its own."""
