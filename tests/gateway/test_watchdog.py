from gateway.watchdog import Step, Watchdog


def test_each_silence_that_follows_another_asks_for_more() -> None:
    dog = Watchdog(given_up=900)
    assert [dog.silent("hci0", now) for now in (90, 180, 270, 360)] == [
        Step.RESCAN,
        Step.RESET,
        Step.RESCAN,
        Step.RESET,
    ]


def test_an_advertisement_begins_it_anew() -> None:
    dog = Watchdog(given_up=900)
    dog.silent("hci0", 90)
    dog.heard("hci0", 100)
    assert dog.silent("hci0", 190) is Step.RESCAN


def test_it_gives_up_only_when_somebody_was_heard_once() -> None:
    dog = Watchdog(given_up=900)
    assert dog.silent("hci0", 10_000) is Step.RESCAN
    dog.heard("hci0", 10_000)
    assert dog.silent("hci0", 10_899) is Step.RESCAN
    assert dog.silent("hci0", 10_900) is Step.GIVE_UP


def test_one_adapter_that_hears_is_enough() -> None:
    dog = Watchdog(given_up=900)
    dog.heard("hci0", 0)
    dog.heard("hci1", 800)
    assert dog.silent("hci0", 1000) is Step.RESCAN
    assert not dog.is_hopeless(1699)
    assert dog.is_hopeless(1700)
