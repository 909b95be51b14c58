"""The published contract of the wire names what the code speaks: its lanes, metrics and words."""

import json
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT
from vitals.metrics import METRICS
from vitals.reading import ClockSource, Quality
from vitals.topics import Lane, topic
from vitals.wire import parse_reading


@pytest.fixture(scope="module")
def contract() -> Any:
    return yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())


def test_it_has_every_lane_at_its_address(contract: Any) -> None:
    addresses = {channel["address"].replace("{gateway}", "gw-1") for channel in contract["channels"].values()}
    assert addresses == {topic("gw-1", lane) for lane in Lane}  # type: ignore[arg-type]


def test_it_has_every_metric_and_word(contract: Any) -> None:
    fields = contract["components"]["schemas"]["reading"]["properties"]
    assert fields["values"]["propertyNames"]["enum"] == list(METRICS)
    assert fields["clock"]["enum"] == list(ClockSource)
    assert fields["quality"]["enum"] == list(Quality)


def test_its_example_is_a_reading(contract: Any) -> None:
    example = contract["components"]["messages"]["reading"]["examples"][0]["payload"]
    assert parse_reading(json.dumps(example).encode()).id == example["id"]


def test_every_reference_leads_somewhere(contract: Any) -> None:
    for reference in _references(contract):
        place = contract
        for word in reference.removeprefix("#/").split("/"):
            place = place[word]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [node["$ref"]] if "$ref" in node else [each for value in node.values() for each in _references(value)]
    return [each for value in node for each in _references(value)] if isinstance(node, list) else []
