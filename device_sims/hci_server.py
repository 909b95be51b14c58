"""The chip at the end of a unix socket: one controller of the air, for one host process at a time.

A host that connects finds a controller just switched on, whatever the one before it left; the death of its process
looks to the other end of every link like a radio that lost its power.
"""

import asyncio
import logging
from pathlib import Path
from typing import Any

from bumble.transport.common import PacketParser

from device_sims.air import RadioController

GRACE_S = 0.3  # who comes next may be seen before the one before is seen to be gone
_EARLY_BYTES_MAX = 4096  # a host resets its controller and waits for the answer

_LOG = logging.getLogger(__name__)


class HciServer:
    """Serves `radio` on the unix socket `path`."""

    def __init__(self, radio: RadioController, path: Path) -> None:
        self.radio = radio
        self.path = path
        self._server: asyncio.Server | None = None
        self._host: _Host | None = None

    async def start(self) -> None:
        """Listen; a socket file left by an earlier run is replaced."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _Host(self), str(self.path))
        self.path.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            self._server.close()
        if self._host is not None:
            self._host.close()
        await asyncio.sleep(0)
        self.path.unlink(missing_ok=True)

    def attach(self, host: "_Host") -> bool:
        """Whether the controller is this host's now; it belongs to one at a time, like a USB stick."""
        if self._host is not None:
            return False
        self._host = host
        self.radio.host = host
        return True

    def detach(self, host: "_Host") -> None:
        """The host is gone."""
        if self._host is host:
            self._host = None
            self.radio.host = None
            self.radio.power_cycle()


class _Host(asyncio.Protocol):
    """One connection of a host; also the sink for the controller's packets."""

    def __init__(self, server: HciServer) -> None:
        self._server = server
        self._parser = PacketParser(server.radio)
        self._transport: Any = None
        self._is_attached = False
        self._early = b""  # kept here: Python 3.11.2, as in Debian 12, lets no new connection pause

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._is_attached = self._server.attach(self)
        if not self._is_attached:
            asyncio.get_running_loop().call_later(GRACE_S, self._try_again, self._transport)

    def _try_again(self, transport: Any) -> None:
        if transport.is_closing():
            return
        self._is_attached = self._server.attach(self)
        if self._is_attached:
            self.data_received(self._early)
        else:
            _LOG.warning("%s: a second host was turned away", self._server.radio.name)
            self.close()

    def data_received(self, data: bytes) -> None:
        if not self._is_attached:
            self._early += data
            if len(self._early) > _EARLY_BYTES_MAX:
                self.close()
            return
        try:
            self._parser.feed_data(data)
        except ValueError as error:
            _LOG.warning("%s: the host does not speak HCI (%s)", self._server.radio.name, error)
            self.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._server.detach(self)

    def on_packet(self, packet: bytes) -> None:
        """Send a packet of the controller to the host."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()
