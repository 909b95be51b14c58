"""Other sites cannot click here, and no page may run what was written into it."""

import pytest
from starlette.testclient import TestClient

from tests.server.web.conftest import Visitor

_GOOD, _FOREIGN = "http://127.0.0.1", "https://evil.example"


@pytest.mark.parametrize(
    ("headers", "with_cookie", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, True, 303),
        ({"sec-fetch-site": "none"}, True, 303),
        ({"sec-fetch-site": "cross-site"}, True, 403),
        ({"sec-fetch-site": "same-site"}, True, 403),  # a neighbour on another port or name is another site
        ({"sec-fetch-site": "cross-site", "origin": _GOOD}, True, 403),
        ({"origin": _GOOD}, True, 303),
        ({"origin": _FOREIGN}, True, 403),
        ({"origin": "null"}, True, 403),
        ({}, True, 403),
        ({}, False, 303),  # no cookie, nothing to misuse
    ],
)
def test_a_changing_request_must_come_from_here(
    visitor: Visitor, headers: dict[str, str], with_cookie: bool, status: int
) -> None:
    client = visitor("anna" if with_cookie else None)
    del client.headers["sec-fetch-site"]
    answer = client.post("/language", data={"language": "nn"}, headers=headers)
    assert answer.status_code == status


def test_reading_needs_no_guard(anna: TestClient) -> None:
    assert anna.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_every_page_forbids_inline_and_foreign_code(anna: TestClient) -> None:
    answer = anna.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "style=" not in answer.text
    assert "<style" not in answer.text
    assert "onclick" not in answer.text


def test_the_demo_answers_only_to_this_machines_names(visitor: Visitor) -> None:
    assert visitor(None).get("/login", headers={"host": "rebound.example"}).status_code == 421
    assert visitor(None).get("/login", headers={"host": "localhost:8000"}).status_code == 200


def test_a_file_with_its_digest_may_be_kept_for_ever(anna: TestClient) -> None:
    assert "immutable" in anna.get("/static/varde.css?v=1").headers["cache-control"]
    assert anna.get("/static/varde.css").headers["cache-control"] == "no-cache"
