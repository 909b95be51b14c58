"""Only the owner of the key can speak, only under its own topic, and only unchanged."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.seal import SealError, seal, unchecked_body, unseal

_KEY = bytes(range(32))
_TOPIC = "varde/v1/gw-0001/readings"


def test_the_seal_is_the_one_of_the_contract() -> None:
    expected = hmac.new(_KEY, b'varde/v1/gw-0001/readings\n{"a":1}', hashlib.sha256).hexdigest()
    assert seal(_KEY, _TOPIC, b'{"a":1}') == expected.encode() + b'\n{"a":1}'


@given(st.binary(max_size=200))
def test_what_was_sealed_opens_again(body: bytes) -> None:
    assert unseal(_KEY, _TOPIC, seal(_KEY, _TOPIC, body)) == body


@given(st.binary(min_size=1, max_size=60), st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_breaks_it(body: bytes, at: int, flip: int) -> None:
    payload = bytearray(seal(_KEY, _TOPIC, body))
    payload[at % len(payload)] ^= flip
    with pytest.raises(SealError):
        unseal(_KEY, _TOPIC, bytes(payload))


@pytest.mark.parametrize(
    ("key", "topic"),
    [(b"another key" * 3, _TOPIC), (_KEY, "varde/v1/gw-0002/readings"), (_KEY, "varde/v1/gw-0001/receipts")],
)
def test_another_key_or_another_topic_breaks_it(key: bytes, topic: str) -> None:
    with pytest.raises(SealError, match="not made with this gateway's key"):
        unseal(key, topic, seal(_KEY, _TOPIC, b"{}"))


@pytest.mark.parametrize("payload", [b"", b"{}", b"abc\n{}", b"0" * 64])
def test_a_message_without_a_seal_is_told_apart(payload: bytes) -> None:
    with pytest.raises(SealError, match="no seal"):
        unseal(_KEY, _TOPIC, payload)


def test_a_refused_message_can_be_shown_without_its_seal() -> None:
    assert unchecked_body(seal(_KEY, _TOPIC, b"{}")) == b"{}"
    assert unchecked_body(b'{"a":\n1}') == b'{"a":\n1}'
