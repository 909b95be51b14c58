"""What every answer carries and what no request may do: headers, and a guard against clicks from other sites.

Pure ASGI, because a stream must pass through untouched.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Everything from here, nothing inline: a text that slipped into a page as markup could still run nothing.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Designsystemet draws its icons as data
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # not "no-referrer": browsers would then hide the Origin that the guard reads
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})  # "none": typed or bookmarked by the person


class SecurityHeaders:
    """Adds the headers to every answer; pages are never kept by a browser or a proxy, files are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class OwnSiteOnly:
    """Refuses a changing request that another site made the browser send. A request without a cookie needs no guard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_own(scope["method"], Headers(scope=scope)):
            answer = PlainTextResponse("refused: this request came from another site\n", status_code=403)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


class KnownHosts:
    """Refuses names that this server does not answer to: a foreign page could point its own name at us otherwise."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname if scope["type"] == "http" else None
        if scope["type"] == "http" and host not in self._hosts:
            await PlainTextResponse("refused: unknown host name\n", status_code=421)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_own(method: str, headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if method in _SAFE_METHODS or site in _OWN_SITES:
        return True
    if site is not None:
        return False
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == headers.get("host")
    return "cookie" not in headers
