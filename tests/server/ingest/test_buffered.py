"""The socket between the MQTT client and the network: real pairs of sockets, nothing in between."""

import socket
from collections.abc import Iterator

import pytest

from server.ingest.buffered import BufferedSocket

Ends = tuple[BufferedSocket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.settimeout(5)
    buffered = BufferedSocket(near)
    yield buffered, far
    buffered.close()
    far.close()


def test_what_came_together_is_read_once_and_handed_out_in_pieces(ends: Ends) -> None:
    buffered, far = ends
    far.sendall(b"abcdef")
    assert buffered.recv(1) == b"a"
    assert buffered.pending() == 5  # no call of the operating system is needed for these
    assert buffered.recv(2) + buffered.recv(99) == b"bcdef"
    assert buffered.pending() == 0
    with pytest.raises(BlockingIOError):
        buffered.recv(1)


def test_the_end_of_the_connection_is_no_bytes(ends: Ends) -> None:
    buffered, far = ends
    far.sendall(b"x")
    far.close()
    assert (buffered.recv(10), buffered.recv(10)) == (b"x", b"")


def test_what_is_sent_is_collected_until_it_is_flushed(ends: Ends) -> None:
    buffered, far = ends
    assert buffered.send(b"one") + buffered.send(b"two") == 6
    assert buffered.has_collected()
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(1)
    buffered.flush()
    assert not buffered.has_collected()
    assert far.recv(99) == b"onetwo"


def test_a_network_that_takes_only_a_part_gets_the_rest_later_and_in_order(ends: Ends) -> None:
    buffered, far = ends
    sent = bytes(range(256)) * 4096  # more than the pair of sockets holds
    buffered.send(sent)
    buffered.flush()
    assert buffered.has_collected()
    got = b""
    while len(got) < len(sent):
        got += far.recv(65_536)
        buffered.flush()
    assert got == sent


def test_a_network_that_takes_nothing_makes_the_client_wait(ends: Ends) -> None:
    buffered, _far = ends
    for _ in range(16):
        buffered.send(bytes(65_536))
    with pytest.raises(BlockingIOError):  # memory stays bounded
        buffered.send(b"x")


def test_a_write_that_failed_is_told_by_the_next_read(ends: Ends) -> None:
    buffered, far = ends
    far.close()
    buffered.send(b"x")
    buffered.flush()
    buffered.send(b"x")
    buffered.flush()
    assert buffered.pending()  # so that the client looks at once
    with pytest.raises(OSError, match="Broken pipe"):
        buffered.recv(1)
    assert not buffered.has_collected()


def test_what_was_collected_goes_out_before_the_socket_is_closed(ends: Ends) -> None:
    buffered, far = ends
    buffered.send(b"bye")
    buffered.close()
    assert far.recv(99) == b"bye"
