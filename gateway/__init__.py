"""Listens to the devices of one home and relays what they say; runs on a Raspberry Pi."""
