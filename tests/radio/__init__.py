"""The gateway's real radio over the virtual one."""
