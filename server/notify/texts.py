"""What a notice says: how urgent, and under which number more is known. Never who, never what was measured."""

from collections.abc import Mapping

DEFAULT = "nb"
_NEW: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "critical": "Nytt kritisk varsel, sak {case}",
        "high": "Nytt rødt varsel, sak {case}",
        "medium": "Gult varsel venter, sak {case}",
        "low": "Varsel venter, sak {case}",
        "owner": "Et varsel du har tatt, venter på deg, sak {case}",
        "again": "Ikke besvart: {text}",
        "patient": "Du har en ny beskjed fra oppfølgingstjenesten.",
    },
    "nn": {
        "critical": "Nytt kritisk varsel, sak {case}",
        "high": "Nytt raudt varsel, sak {case}",
        "medium": "Gult varsel ventar, sak {case}",
        "low": "Varsel ventar, sak {case}",
        "owner": "Eit varsel du har teke, ventar på deg, sak {case}",
        "again": "Ikkje svara på: {text}",
        "patient": "Du har ei ny melding frå oppfølgingstenesta.",
    },
    "en": {
        "critical": "New critical alert, case {case}",
        "high": "New red alert, case {case}",
        "medium": "A yellow alert waits, case {case}",
        "low": "An alert waits, case {case}",
        "owner": "An alert that you took waits for you, case {case}",
        "again": "Not answered: {text}",
        "patient": "You have a new message from your follow-up service.",
    },
}
LANGUAGES = tuple(_NEW)


def text(language: str, to: str, priority: str | None, case: int, *, again: bool = False) -> str:
    """One line; `again`: somebody was told of this case before, and nobody answered."""
    words = _NEW[language]
    if to == "patient":
        return words["patient"]
    said = words["owner" if to == "owner" else priority or "low"].format(case=case)
    return words["again"].format(text=said[0].lower() + said[1:]) if again and to != "owner" else said
