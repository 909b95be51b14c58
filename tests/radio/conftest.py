"""The same home as the virtual radio's own tests have."""

from tests.device_sims.conftest import home, short_folder

__all__ = ["home", "short_folder"]
