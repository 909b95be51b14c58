"""A browser that subscribed to pushes, and a push service that takes them: the other side, on this machine.

The arithmetic is written from the standards and not from the product: two hands, one meaning.
"""

import hmac
import http.server
import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.notify.push_seal import BrowserKeys


class Browser:
    """One that can be written to."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._auth = sha256(self._point).digest()[:16]

    @property
    def keys(self) -> BrowserKeys:
        return BrowserKeys(point=self._point, secret=self._auth)

    @property
    def written(self) -> dict[str, str]:
        """The keys as a browser's script gives them."""
        return {"p256dh": _text(self._point), "auth": _text(self._auth)}

    def opened(self, body: bytes) -> bytes:
        """What a body says to this browser; raises `InvalidTag` where it was meant for another."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        key = _derive(shared, self._auth, b"WebPush: info\0" + self._point + theirs, 32)
        content_key = _derive(key, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(key, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain.endswith(b"\x02")
        return plain[:-1]


def claims_of(authorization: str, key: str) -> dict[str, Any]:
    """The claims of a token that this key signed; raises `InvalidSignature` for any other."""
    scheme, _, rest = authorization.partition(" ")
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid"
    said, _, signature = given["t"].rpartition(".")
    raw = _bytes(signature)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(key))
    pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(pair, said.encode(), ec.ECDSA(SHA256()))
    header, claims = (json.loads(_bytes(part)) for part in said.split("."))
    assert header["alg"] == "ES256"
    return dict(claims)


@dataclass
class PushService:
    """What a push service took: path, headers in small letters, body. `answers`: by path, else 201."""

    port: int = 0
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)  # further headers of each answer

    def endpoint(self, name: str = "anna") -> str:
        return f"http://127.0.0.1:{self.port}/send/{name}"


@contextmanager
def push_service() -> Iterator[PushService]:
    """A push service that keeps what it is given."""
    service = PushService()

    class Request(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.taken.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(service.answers.get(self.path.rpartition("/")[2], 201))
            for name, value in service.says.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on the tests' screen."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Request)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.port = server.server_address[1]
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _derive(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256 for at most one block (RFC 5869)."""
    extracted = hmac.new(salt, key, sha256).digest()
    return hmac.new(extracted, info + b"\x01", sha256).digest()[:length]


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
