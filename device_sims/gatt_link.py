"""The central's end of a GATT link, with the edges that bumble's client leaves sharp.

A lost link is an exception for whoever waits (bumble cancels the waiter, which looks like being cancelled oneself), a
late answer is dropped, and an indication is confirmed only after everybody who subscribed has taken it.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from bumble import att, core, hci
from bumble.gatt_client import Client
from bumble.transport.common import TransportLostError

_LOG = logging.getLogger(__name__)
_Value = TypeVar("_Value")

PAIRING_CURES = (att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR, att.ATT_INSUFFICIENT_ENCRYPTION_ERROR)


class LinkError(Exception):
    """The link is lost or the other end refused it."""


class BondLostError(LinkError):
    """The other end no longer knows the key of our bond."""


class AttError(Exception):
    """The device answered a request with an ATT error; `code` says which."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ATT error 0x{code:02X}")
        self.code = code


class GattLink(Client):  # type: ignore[misc]
    """Bumble's GATT client for one connection, made strict. Put it in the place of the connection's own."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.gone = False

    def on_disconnection(self, *_reason: object) -> None:
        self.gone = True
        if self.pending_response is not None and not self.pending_response.done():
            self.pending_response.set_exception(LinkError("the link was lost while the device's answer was awaited"))

    async def send_request(self, request: Any) -> Any:
        if self.gone:
            raise LinkError("the link is lost")
        return await super().send_request(request)

    def on_gatt_pdu(self, att_pdu: Any) -> None:
        late = self.pending_response is None or self.pending_response.done()
        if att_pdu.op_code in att.ATT_RESPONSES and late:
            return  # the answer to a request that was given up
        super().on_gatt_pdu(att_pdu)

    def on_att_handle_value_indication(self, indication: Any) -> None:
        try:
            super().on_att_handle_value_indication(indication)  # calls the subscribers, then confirms
        except Exception:  # noqa: BLE001 - whatever the subscriber raised, nothing may be confirmed
            _LOG.exception("an indication could not be taken; it stays unconfirmed and the link is given up")
            self.give_up()

    def on_att_handle_value_notification(self, notification: Any) -> None:
        try:
            super().on_att_handle_value_notification(notification)
        except Exception:  # noqa: BLE001 - whatever the subscriber raised, nothing may be confirmed
            _LOG.exception("a notification could not be taken; the link is given up")
            self.give_up()

    def give_up(self) -> None:
        """Disconnect without waiting."""
        task = asyncio.get_running_loop().create_task(self.connection.disconnect())
        task.add_done_callback(_forget)


async def attempt(what: str, link: GattLink | None, awaitable: Awaitable[_Value]) -> _Value:
    """The result of `awaitable`; every failure of the stack as `LinkError` or `AttError` that names `what`."""
    task = asyncio.current_task()
    asked_before = task.cancelling() if task else 0
    try:
        return await awaitable
    except asyncio.CancelledError:
        if task is not None and task.cancelling() > asked_before:
            raise
        raise LinkError(f"the link was lost ({what})") from None
    except att.ATT_Error as error:
        raise AttError(error.error_code) from None
    except hci.HCI_Error as error:
        if error.error_code == hci.HCI_ErrorCode.PIN_OR_KEY_MISSING_ERROR:
            raise BondLostError("the device no longer knows its bond with this adapter") from None
        raise LinkError(f"{what}: {error}") from None
    except (core.BaseBumbleError, TransportLostError, OSError) as error:
        lost = " (the link was lost)" if link is not None and link.gone else ""
        raise LinkError(f"{what}: {error or type(error).__name__}{lost}") from None


def _forget(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()  # the link may be gone already, which is what was wanted
