"""The fixtures of every test, tried on wrong code."""

import logging

import pytest


@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_a_log_call_that_does_not_format_fails_where_it_stands(level: int) -> None:
    with pytest.raises(TypeError, match="not enough arguments"):
        logging.getLogger("gateway.relay").log(level, "%s sent %d", "one argument")


def test_a_log_call_that_formats_passes() -> None:
    logging.getLogger("gateway.relay").debug("%s sent %d", "kit", 3)
