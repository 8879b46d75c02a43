"""The server: the files of the page, and one address where questions are asked.

An ASGI application without a framework: two methods, three kinds of addresses, no state.  It answers to its own name
only (a page elsewhere can neither reach it under another name nor post to it), and what it sends forbids all that the
page does not need.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import urlsplit

from symderiv.errors import ParseError, SymderivError, UnsupportedError
from symderiv.web.asked import asked
from symderiv.web.faults import Answer, refused
from symderiv.web.workers import Workers

ASSETS = "assets"
ASK = "/ask"
MOST_BYTES = 128_000  # of a question
BODY_SECONDS = 10.0  # in which a question has to arrive
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
KINDS = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2", ".svg": "image/svg+xml", ".json": "application/json", ".txt": "text/plain; charset=utf-8",
}  # fmt: skip
PAGE = "/index.html"

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class GoneError(Exception):
    """Whoever asked has left."""


def page_files(folder: Traversable | None = None) -> dict[str, bytes]:
    """Return the built files of the page by their addresses."""
    top = folder if folder is not None else files("symderiv.web") / ASSETS
    found: dict[str, bytes] = {}

    def walk(place: Traversable, address: str) -> None:
        for entry in sorted(place.iterdir(), key=lambda e: e.name):
            if entry.is_dir():
                walk(entry, f"{address}{entry.name}/")
            else:
                found[f"{address}{entry.name}"] = entry.read_bytes()

    if not top.is_dir():
        raise UnsupportedError("the page is not built", hint="run `make page` (it needs Node)")
    walk(top, "/")
    return found


class App:
    """The application; `hosts` are the names it answers to, with their ports where they have one."""

    def __init__(self, workers: Workers, hosts: Iterable[str], pages: Mapping[str, bytes] | None = None) -> None:
        self.workers = workers
        self.hosts = frozenset(hosts)
        self.pages = dict(pages if pages is not None else page_files())
        self.tags = {path: f'"{sha256(body).hexdigest()[:24]}"' for path, body in self.pages.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, Reply(send))

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Have the processes ready before the first question, and none left after the last."""
        while True:
            match (await receive())["type"]:
                case "lifespan.startup":
                    await self.workers.start()
                    await send({"type": "lifespan.startup.complete"})
                case "lifespan.shutdown":
                    self.workers.stop()
                    await send({"type": "lifespan.shutdown.complete"})
                    return

    async def http(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("host", "") not in self.hosts:
            await reply.text(421, "this server answers to its own name only")
        elif scope["path"] == ASK:
            await self.question(scope, headers, receive, reply)
        elif scope["method"] not in ("GET", "HEAD"):
            await reply.text(405, "files are only read", allow="GET, HEAD")
        else:
            await self.file(PAGE if scope["path"] == "/" else scope["path"], headers, scope["method"], reply)

    async def file(self, path: str, headers: Mapping[str, str], method: str, reply: Reply) -> None:
        """Send one of the files that are there; nothing is looked up on the disk."""
        body = self.pages.get(path)
        if body is None:
            await reply.text(404, "there is no such page")
        elif headers.get("if-none-match") == self.tags[path]:
            await reply.send(304, b"", "text/plain", etag=self.tags[path])
        else:
            kind = KINDS.get(path[path.rfind(".") :], "application/octet-stream")
            lasting = {"etag": self.tags[path], "cache-control": "no-cache"}
            await reply.send(200, body if method == "GET" else b"", kind, **lasting)

    async def question(self, scope: Scope, headers: Mapping[str, str], receive: Receive, reply: Reply) -> None:
        """Answer a question: a JSON object, posted by the page itself."""
        if scope["method"] != "POST":
            await reply.text(405, "questions are posted", allow="POST")
        elif not self.from_here(headers):
            await reply.text(403, "questions come from the page itself")
        elif headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            await reply.text(415, "a question is application/json")
        else:
            try:
                data = json.loads(await asyncio.wait_for(body_of(headers, receive), BODY_SECONDS))
                question = asked(data)
            except (TimeoutError, GoneError):
                return
            except TooLargeError:
                await reply.json(413, refused(UnsupportedError(f"a question has at most {MOST_BYTES} bytes")))
            except SymderivError as err:
                await reply.json(400, refused(err))
            except (ValueError, RecursionError):
                await reply.json(400, refused(ParseError("a question is a JSON object")))
            else:
                async with listening(receive) as gone:
                    found = await first_of(self.workers.ask(data, question.subject), gone)
                if found is not None:
                    await reply.json(503 if found.get("busy") else 200, found)

    def from_here(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request comes from this page: browsers say so, and tell the truth."""
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin")
        return site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc == headers.get("host"))


class TooLargeError(Exception):
    """The question has too many bytes."""


async def body_of(headers: Mapping[str, str], receive: Receive) -> bytes:
    """Return the body of a request, which must not be too large."""
    if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > MOST_BYTES:
        raise TooLargeError
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise TooLargeError
        if not message.get("more_body"):
            return bytes(body)


@asynccontextmanager
async def listening(receive: Receive) -> AsyncIterator[asyncio.Future[None]]:
    """Have a task that ends when whoever asked has left."""

    async def leave() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.ensure_future(leave())
    try:
        yield task
    finally:
        task.cancel()


async def first_of(work: Awaitable[Answer], gone: asyncio.Future[None]) -> Answer | None:
    """Return the answer, or None where nobody waits for it any more; then the work is stopped."""
    task: asyncio.Future[Any] = asyncio.ensure_future(work)
    await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        found: Answer = task.result()
        return found
    task.cancel()
    await asyncio.wait({task})
    return None


class Reply:
    """One response."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def send(self, status: int, body: bytes, kind: str, **more: str) -> None:
        """Send a whole response."""
        named = {"content-type": kind, "content-length": str(len(body)), "cache-control": "no-store", **HEADERS}
        named |= {name.replace("_", "-"): value for name, value in more.items()}
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def text(self, status: int, text: str, **more: str) -> None:
        await self.send(status, text.encode(), "text/plain; charset=utf-8", **more)

    async def json(self, status: int, data: Any) -> None:
        await self.send(status, json.dumps(data, allow_nan=False).encode(), "application/json")
