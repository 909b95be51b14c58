"""What a push service carries: a body that only one browser can open, and a token that says whose it is.

RFC 8291 (with RFC 8188) and RFC 8292, on the primitives of `cryptography`; why not on a library: decision 0025.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.vault import Vault

_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-4 D.1.2.3
_RECORD_BYTES = 4096
_BLOCK_BYTES = 256  # a body's length says how many of these it fills, and nothing else about what it says
_TOKEN_LASTS = timedelta(hours=1)  # a day at most, RFC 8292 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserKeys:
    """What a browser gave to be written to: its public point, uncompressed, and 16 bytes that only it and we know."""

    point: bytes
    secret: bytes


def keys_of(p256dh: str, auth: str) -> BrowserKeys:
    """The keys as a browser writes them; raises `ValueError` for what cannot be keys."""
    keys = BrowserKeys(point=decoded(p256dh), secret=decoded(auth))
    _point(keys.point)
    if len(keys.secret) != 16:
        raise ValueError("auth: 16 bytes are needed")
    return keys


def encrypt(plain: bytes, to: BrowserKeys) -> bytes:
    """The body of a push message, filled up to a length that tells nothing; every time another."""
    filled = plain + b"\x02" + bytes(-(len(plain) + 1) % _BLOCK_BYTES)  # 2 ends the last record, RFC 8188 2
    return sealed(filled, to, ec.generate_private_key(_CURVE), os.urandom(16))


def sealed(record: bytes, to: BrowserKeys, ours: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """One record, its delimiter at the end, with the key and the salt of this message alone."""
    point = public_point(ours)
    shared = ours.exchange(ec.ECDH(), _point(to.point))
    key = _hkdf(shared, to.secret, b"WebPush: info\0" + to.point + point, 32)
    content_key = _hkdf(key, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(key, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(point)]) + point
    return header + AESGCM(content_key).encrypt(nonce, record, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who writes, as push services know it: a key of the installation's own, and where its people can be asked."""

    key: ec.EllipticCurvePrivateKey
    contact: str  # mailto: or https:

    @property
    def public(self) -> str:
        """What a browser is told when it subscribes, so that nobody else can write to it."""
        return encoded(public_point(self.key))

    def authorization(self, endpoint: str, now: datetime) -> str:
        """The header of a request to this endpoint's service; good there for an hour, and nowhere else."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + _TOKEN_LASTS).timestamp()),
            "sub": self.contact,
        }
        said = f"{_part({'typ': 'JWT', 'alg': 'ES256'})}.{_part(claims)}"
        r, s = decode_dss_signature(self.key.sign(said.encode(), ec.ECDSA(SHA256())))
        signature = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return f"vapid t={said}.{signature}, k={self.public}"


def sender_of(vault: Vault, contact: str) -> Sender:
    """The installation as a sender. Its key follows from the vault's, so there is no second secret to keep or lose."""
    number = int.from_bytes(vault.derived("web push", 48), "big")  # far above the order, so that no key is likelier
    return Sender(key=ec.derive_private_key(number % (_ORDER - 1) + 1, _CURVE), contact=contact)


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half of a key: 65 bytes, uncompressed."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(raw: bytes) -> str:
    """Base64url without padding, as everything in these standards is written."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of such a text; raises `ValueError`."""
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def _part(value: dict[str, object]) -> str:
    return encoded(json.dumps(value, separators=(",", ":")).encode())


def _point(raw: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, raw)


def _hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key)
