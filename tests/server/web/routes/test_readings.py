"""What a nurse says about one measurement: that it was not the patient's, or that it is right after all."""

import re

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from server.db import tables
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import Hamlet
from tests.server.web.routes.test_worklist import text_of
from tests.server.world import an_id


@pytest.fixture
def page(lia: Hamlet) -> str:
    """Gunnar's oxygen is at 87 %; his page."""
    lia.hear("gunnar", spo2=87, pulse=80)
    return f"/patients/{lia.patients['gunnar']}"


def states(lia: Hamlet) -> dict[str, str]:
    with lia.parts.database.read() as connection:
        return {row.rule: row.state for row in connection.execute(select(tables.alert)) if row.rule[:7] != "missing"}


def test_a_measurement_of_somebody_else_is_taken_out(lia: Hamlet, page: str, anna: TestClient) -> None:
    where = f"{page}/readings/{an_id('heard 1')}/invalidate"
    assert where in anna.get("/").text  # on the card
    html = anna.get(page).text
    table = html[html.index('id="table-spo2"') :].split("</table>")[0]
    assert where in table
    question = text_of(anna.get(where).text)
    for part in ("Gunnar Prøvedal", "87 %", "80 /min", "En annen person ble målt", "Nei, pasienten må måle på nytt"):
        assert part in question
    assert anna.post(where, data={"reason": "wrong_person"}).status_code == 422
    assert states(lia) == {"spo2_low": "active"}
    done = anna.post(where, data={"reason": "wrong_person", "slot": "open"})
    assert (done.status_code, done.headers["location"]) == (303, f"{page}?done=invalidated")
    assert states(lia) == {"spo2_low": "cleared"}
    said = text_of(anna.get(done.headers["location"]).text)
    assert "Målingen er tatt ut" in said
    assert "Måling tatt ut: en annen person ble målt" in said
    assert "tatt ut" in anna.get(page).text.split('id="table-spo2"')[1].split("</table>")[0]
    assert where not in anna.get("/").text
    assert "allerede tatt ut" in text_of(anna.get(where).text)
    again = anna.post(where, data={"reason": "mistake", "slot": "open"})
    assert again.status_code == 409
    assert "Noen har allerede tatt stilling" in text_of(again.text)


def test_an_unlikely_value_is_believed_or_not(lia: Hamlet, page: str, anna: TestClient) -> None:
    lia.hear("gunnar", pulse=20)
    lia.hear("gunnar", pulse=21, minutes=-1)
    first, second = (f"{page}/readings/{an_id(f'heard {number}')}/accept" for number in (2, 3))
    html = anna.get("/").text
    assert first in html
    assert second in html
    assert "2 varsler venter" in html  # the question is not clicked with the rest
    said = text_of(html)
    for part in ("20 /min er riktig", "21 /min er riktig", "Feil, ikke bruk noen av dem"):
        assert part in said
    assert anna.post(first, data={"back": "/"}).headers["location"] == "/?done=accepted"
    assert first not in anna.get("/").text
    late = anna.post(first, data={"back": "/"})
    assert late.status_code == 409
    assert "Noen har allerede tatt stilling" in text_of(late.text)
    question = anna.get("/").text.split("21\xa0/min er riktig")[1]
    where = re.search(r'action="(/alerts/[^"]*/resolve)"', question)
    seen = re.search(r'name="seen" value="([^"]*)"', question)
    assert where
    assert seen
    assert anna.post(where[1], data={"seen": seen[1], "outcome": "data_error"}).status_code == 303
    assert states(lia)["quarantined"] == "resolved"
    assert anna.post(second, data={"back": "/"}).status_code == 409


def test_nobody_decides_about_a_measurement_that_is_not_theirs(lia: Hamlet, page: str, visitor: Visitor) -> None:
    sent = {"reason": "mistake", "slot": "open"}
    own, unknown = f"{page}/readings/{an_id('heard 1')}/invalidate", f"{page}/readings/{an_id(99)}/invalidate"
    other = own.replace(lia.patients["gunnar"], lia.patients["solveig"])
    for where in (unknown, other):
        assert visitor("anna").get(where).status_code == 404
        assert visitor("anna").post(where, data=sent).status_code == 404
    assert visitor("tore").post(own, data=sent).status_code == 403
    assert visitor("tore").get(own).status_code == 403
    assert states(lia) == {"spo2_low": "active"}
