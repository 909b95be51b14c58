"""The whole product on one machine: which processes, on which ports, with which clock, for which invented people."""
