"""Everything that pretends, made of real parts: people, habits, and GATT peripherals on a virtual radio."""
