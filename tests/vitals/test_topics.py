"""A topic names a gateway and a lane, and nothing that looks like one passes for one."""

import pytest

from vitals.reading import GatewayId
from vitals.topics import Lane, Topic, TopicError, every_gateway, parse_topic, topic


@pytest.mark.parametrize("lane", Lane)
def test_a_topic_is_read_as_it_is_made(lane: Lane) -> None:
    made = topic(GatewayId("gw-0001"), lane)
    assert made == f"varde/v1/gw-0001/{lane.value}"
    assert parse_topic(made) == Topic(gateway=GatewayId("gw-0001"), lane=lane)


def test_the_server_hears_every_gateway() -> None:
    assert every_gateway(Lane.READINGS) == "varde/v1/+/readings"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "varde/v1/gw-0001",
        "varde/v1/gw-0001/readings/",
        "varde/v1//readings",
        "varde/v2/gw-0001/readings",
        "varde/v1/+/readings",
        "varde/v1/#/readings",
        "varde/v1/../readings",
        "varde/v1/GW-0001/readings",
        "varde/v1/gw-000\u0031\u0301/readings",
        "varde/v1/gw-0001/reading",
        "varde/v1/gw-0001\n/readings",
        "varde/v1/" + "g" * 64 + "/readings",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(TopicError):
        parse_topic(text)
