"""The stand-in broker for machines without Mosquitto, in a process of its own; it can lose messages (see `broker`).

`python -m varde.demo.amqtt_broker SETTINGS.json`, ended by SIGTERM.
"""

import asyncio
import hmac
import json
import logging
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin


class AccountsPlugin(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc] # amqtt is untyped here
    """Who may connect, publish and hear, from our own list: no password file, no defaults of the library."""

    @dataclass
    class Config:
        """`accounts`: name to `{"password", "writes", "reads"}`, topics with MQTT wildcards."""

        accounts: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def authenticate(self, *, session: Any) -> bool:
        """Whether name and password are right; anonymous sessions never are."""
        account = self.config.accounts.get(session.username or "")
        if account is None:
            return False
        return hmac.compare_digest(account["password"].encode(), (session.password or "").encode())

    async def topic_filtering(self, *, session: Any = None, topic: Any = None, action: Any = None) -> bool:
        """Whether this account may publish to or hear `topic`."""
        account = self.config.accounts.get(session.username or "") if session else None
        if account is None or not topic:
            return False
        allowed = account["writes"] if action == Action.PUBLISH else account["reads"]
        return any(covers(pattern, topic) for pattern in allowed)


def covers(pattern: str, topic: str) -> bool:
    """Whether every topic that `topic` (itself perhaps a pattern) can mean is allowed by `pattern`."""
    allowed, asked = pattern.split("/"), topic.split("/")
    for index, part in enumerate(allowed):
        if part == "#":
            return True
        if index >= len(asked) or asked[index] == "#":
            return False
        if part not in ("+", asked[index]):
            return False
    return len(allowed) == len(asked)


async def serve(settings: dict[str, Any]) -> None:
    """Run until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{settings['port']}"}},
            "plugins": {"varde.demo.amqtt_broker.AccountsPlugin": {"accounts": settings["accounts"]}},
        }
    )
    await broker.start()
    await ended.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
