"""Simulated devices: real GATT peripherals, and broadcasters, on the virtual radio. One class a kind."""

from device_sims.peripherals.glucometer import Glucometer
from device_sims.peripherals.mi_scale import MiScale
from device_sims.peripherals.peripheral import Peripheral
from device_sims.peripherals.pulse_belt import PulseBelt
from device_sims.peripherals.record import DeviceSpec, Moment, Record, RecordRefusedError
from device_sims.peripherals.storing import BodyScale, Cuff, Oximeter, Scale, Thermometer

KINDS: dict[str, type[Peripheral]] = {
    each.kind: each for each in (Oximeter, Scale, BodyScale, Cuff, Thermometer, Glucometer, PulseBelt, MiScale)
}

__all__ = [
    "KINDS",
    "BodyScale",
    "Cuff",
    "DeviceSpec",
    "Glucometer",
    "MiScale",
    "Moment",
    "Oximeter",
    "Peripheral",
    "PulseBelt",
    "Record",
    "RecordRefusedError",
    "Scale",
    "Thermometer",
]
