"""Bumble formats every packet for its debug log, even when nobody reads it: the largest single cost of a radio.

`hush` makes that text empty and keeps bumble's chatter out of the log. Only for processes that pretend; what travels
is not touched.
"""

import logging

from bumble import att, gatt_client, gatt_server, hci, host, l2cap, ll, smp
from bumble import device as bumble_device

# Their `__str__` is called inside f-strings of debug lines that are thrown away.
_VERBOSE = (
    hci.HCI_Command,
    hci.HCI_Event,
    hci.HCI_AclDataPacket,
    att.ATT_PDU,
    l2cap.L2CAP_PDU,
    l2cap.L2CAP_Control_Frame,
    smp.SMP_Command,
    ll.AdvertisingPdu,
    ll.ControlPdu,
)
_COLOURED = (bumble_device, gatt_client, gatt_server, hci, host, l2cap, smp)


def hush(level: int = logging.CRITICAL) -> None:
    """Switch bumble's formatting off and let only messages of `level` through; harmless to call twice."""
    logging.getLogger("bumble").setLevel(level)
    for each in _VERBOSE:
        for kind in (each, *_descendants(each)):
            if "__str__" in vars(kind) or kind is each:
                kind.__str__ = _name_only
    for module in _COLOURED:
        if hasattr(module, "color"):
            module.color = _plain


def _descendants(kind: type) -> set[type]:
    found: set[type] = set()
    children: list[type] = kind.__subclasses__()
    for child in children:
        found |= {child, *_descendants(child)}
    return found


def _name_only(packet: object) -> str:
    return type(packet).__name__


def _plain(text: str, *_style: object, **_more: object) -> str:
    return text
