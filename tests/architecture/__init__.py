"""Guards of the house: what is preached is checked. Each is `guard(root) -> list[str]`, the problems in words."""
