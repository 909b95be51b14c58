"""`python -m varde.demo.compose`: lets the demo's town in where docker-compose.yml runs, and prepares a home's gateway.

Reads the server's own settings from the environment, and `GATEWAY_PASSWORD`: what the broker knows that gateway by.
"""

import os
import sys
from dataclasses import replace

from server.settings import settings_from
from varde.demo import enrol, kits
from varde.demo.folder import Folder, start_clock
from varde.demo.keys import keys_for
from varde.demo.town import read_town
from vitals.clock import SystemClock


def main() -> int:
    """Print where the gateway's settings are; a second time finds everything as it is."""
    settings, town = settings_from({}), read_town()
    folder, home = Folder(settings.data.absolute()), town.homes[0]
    folder.make()
    keys = keys_for(folder, [*(each.gateway for each in town.homes), town.script_gateway])
    clock = start_clock(folder, SystemClock().now(), 1)
    enrol.enrol_once(folder, settings.database_address, town, keys, clock)
    own = replace(keys.gateways[home.gateway], password=os.environ["GATEWAY_PASSWORD"])
    broker = kits.BrokerPlace(host=settings.mqtt_host, port=settings.mqtt_port, tls_ca=settings.mqtt_tls_ca)
    path = kits.write_settings(folder, home, own, broker=broker, timezone=town.timezone)
    sys.stdout.write(f"enrolled: {town.municipality}; gateway {home.gateway} has its settings in {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
