"""From values to a device's bytes, written from the specifications and from nothing else of this house.

`gateway.profiles` reads what these write, and neither knows the other: where both agree, the standard was understood
once at least. Each module names its source.
"""

from device_sims.encode.cuff import BloodPressure, cuff_pressure
from device_sims.encode.device_clock import battery, current_time, time_written
from device_sims.encode.glucose import Glucose, GlucoseContext, access_ended, number_of_records
from device_sims.encode.mi_scale import MiUnit, MiWeighing
from device_sims.encode.numbers import FLOAT_WORDS, SFLOAT_WORDS, EncodeError, Sfloat, float32, sfloat
from device_sims.encode.oximeter import Continuous, SpotCheck
from device_sims.encode.pulse_belt import HeartRate
from device_sims.encode.scale import Composition, Weighing
from device_sims.encode.thermometer import Temperature

__all__ = [
    "FLOAT_WORDS",
    "SFLOAT_WORDS",
    "BloodPressure",
    "Composition",
    "Continuous",
    "EncodeError",
    "Glucose",
    "GlucoseContext",
    "HeartRate",
    "MiUnit",
    "MiWeighing",
    "Sfloat",
    "SpotCheck",
    "Temperature",
    "Weighing",
    "access_ended",
    "battery",
    "cuff_pressure",
    "current_time",
    "float32",
    "number_of_records",
    "sfloat",
    "time_written",
]
