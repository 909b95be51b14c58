from server import logs


def test_names_ids_and_secrets_are_hidden() -> None:
    event = {
        "event": "x",
        "patient": "opaque",
        "patient_name": "Kari",
        "national_id": "1",
        "api_key": "k",
        "token": "t",
        "note": "born 13897404089",
        "spaced": "138974 04089",
        "digits": "1389740408912",
    }
    assert logs.hide(None, "info", dict(event)) == event | {
        "patient_name": "[hidden]",
        "national_id": "[hidden]",
        "api_key": "[hidden]",
        "token": "[hidden]",
        "note": "born [hidden]",
        "spaced": "[hidden]",
    }


def test_an_exception_is_told_by_kind_and_place_and_never_by_its_words() -> None:
    def fail() -> None:
        raise ValueError("Kari Nordmann has 88 %")

    try:
        fail()
    except ValueError as error:
        told = logs.say_where_it_failed(None, "error", {"event": "x", "exc_info": error})
    assert told["error"] == "ValueError"
    assert any(place.endswith(" fail") for place in told["places"])
    assert "Kari" not in str(told)
