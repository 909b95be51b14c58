"""Devices that store a measurement and hand it over: oximeter, scales, cuff, thermometer."""

from collections.abc import Sequence

from bumble.gatt import Service

from device_sims import gatt_server as gatt
from device_sims.peripherals.peripheral import Peripheral


class Oximeter(Peripheral):
    """A fingertip pulse oximeter (Pulse Oximeter Service 1.0.1): spot checks indicated, live values notified."""

    kind = "oximeter"
    service_uuids = (0x1822,)
    default_characteristic = "2A5E"

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        self._speaking = {
            "2A5E": voice.speaking(0x2A5E, gatt.INDICATE),
            "2A5F": voice.speaking(0x2A5F, gatt.NOTIFY),
        }
        # Supported features: measurement storage and time stamp for spot checks (bits 2 and 3).
        features = gatt.readable(0x2A60, (0x000C).to_bytes(2, "little"))
        return [Service("1822", [*self._speaking.values(), features])]


class Scale(Peripheral):
    """A weight scale (Weight Scale Service 1.0.1) that stores measurements with time stamps."""

    kind = "scale"
    service_uuids = (0x181D,)
    default_characteristic = "2A9D"

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        self._speaking = {"2A9D": voice.speaking(0x2A9D, gatt.INDICATE)}
        return [Service("181D", [self._speaking["2A9D"], _weight_features()])]


class BodyScale(Peripheral):
    """A scale that also looks through the feet (Body Composition Service 1.0): a weighing and a body each time."""

    kind = "body_scale"
    service_uuids = (0x181D, 0x181B)
    default_characteristic = "2A9D"
    has_clock = True

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        weight = voice.speaking(0x2A9D, gatt.INDICATE)
        body = voice.speaking(0x2A9C, gatt.INDICATE)
        self._speaking = {"2A9D": weight, "2A9C": body}
        # Time stamps, several users, impedance (bits 0, 1, 8).
        features = gatt.readable(0x2A9B, (0x00000103).to_bytes(4, "little"))
        return [Service("181D", [weight, _weight_features()]), Service("181B", [body, features])]


class Cuff(Peripheral):
    """A blood pressure cuff (Blood Pressure Service 1.1.1); the pressure on its way is notified to whoever listens."""

    kind = "cuff"
    service_uuids = (0x1810,)
    default_characteristic = "2A35"
    has_clock = True

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        self._speaking = {
            "2A35": voice.speaking(0x2A35, gatt.INDICATE),
            "2A36": voice.speaking(0x2A36, gatt.NOTIFY),
        }
        # Body movement, cuff fit and irregular pulse are detected (bits 0 to 2).
        features = gatt.readable(0x2A49, (0x0007).to_bytes(2, "little"))
        return [Service("1810", [*self._speaking.values(), features])]


class Thermometer(Peripheral):
    """An ear thermometer (Health Thermometer Service 1.0)."""

    kind = "thermometer"
    service_uuids = (0x1809,)
    default_characteristic = "2A1C"
    has_clock = True

    def _own_services(self, voice: gatt.Voice) -> Sequence[Service]:
        self._speaking = {"2A1C": voice.speaking(0x2A1C, gatt.INDICATE)}
        return [Service("1809", list(self._speaking.values()))]


def _weight_features() -> gatt.CheckedCharacteristic:
    # Time stamps and several users supported (bits 0, 1), BMI (bit 2), accuracy of 0.05 kg (bits 3-6 = 4 is 0.05).
    return gatt.readable(0x2A9E, (0x00000007 | 4 << 3).to_bytes(4, "little"))
