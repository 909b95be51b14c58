"""The server: receives, remembers, watches, tells, shows. It knows the rules by `alerts` and the wire by `vitals`."""
