"""The bodies and tokens of web push, by the examples of their standards and by a browser's side of the arithmetic."""

from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from server.notify.push_seal import decoded, encoded, encrypt, keys_of, public_point, sealed, sender_of
from server.vault import Vault
from tests.server.notify.browser import Browser, claims_of
from tests.server.world import START

# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
OURS = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
THEIRS = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
KEY = b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def test_the_example_of_the_standard_comes_out_to_the_byte() -> None:
    ours = ec.derive_private_key(int.from_bytes(decoded(OURS), "big"), ec.SECP256R1())
    assert encoded(sealed(PLAIN + b"\x02", keys_of(THEIRS, AUTH), ours, decoded(SALT))) == BODY


def test_only_that_browser_opens_it_and_the_length_tells_nothing() -> None:
    anna, other = Browser(), Browser()
    short, long = (encrypt(text, anna.keys) for text in (b"a", b"b" * 200))
    assert (anna.opened(short), anna.opened(long)) == (b"a", b"b" * 200)
    assert len(short) == len(long) < 4096
    assert short != encrypt(b"a", anna.keys)
    with pytest.raises(InvalidTag):
        other.opened(short)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", AUTH), ("AAAA", AUTH), (THEIRS[:-2], AUTH), (THEIRS, ""), (THEIRS, "AAAA"), ("å", AUTH), ("B" * 87, AUTH)],
)
def test_what_cannot_be_keys_is_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(ValueError):
        keys_of(p256dh, auth)


def test_a_token_says_for_which_service_until_when_and_who_can_be_asked() -> None:
    sender = sender_of(Vault(KEY), "mailto:drift@kommune.example")
    header = sender.authorization("https://push.example/a/b?c", START)
    assert claims_of(header, sender.public) == {
        "aud": "https://push.example",
        "exp": int((START + timedelta(hours=1)).timestamp()),
        "sub": "mailto:drift@kommune.example",
    }
    with pytest.raises(InvalidSignature):
        claims_of(header, encoded(public_point(ec.generate_private_key(ec.SECP256R1()))))


def test_the_same_vault_is_the_same_sender_and_another_is_another() -> None:
    one, again = sender_of(Vault(KEY), "mailto:a@e.example"), sender_of(Vault(KEY), "mailto:a@e.example")
    other = sender_of(Vault(KEY[::-1].replace(b"=", b"M", 1)[:-1] + b"="), "mailto:a@e.example")
    assert one.public == again.public != other.public
    assert len(decoded(one.public)) == 65
