"""Running the server: on this machine, for this machine, unless somebody asks for more."""

from __future__ import annotations

import ipaddress
import socket
import webbrowser
from collections.abc import Callable
from threading import Thread
from time import sleep
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.web.app import App
from symderiv.web.workers import Limits, Workers

LOOPBACK = "127.0.0.1"
MISSING = "pip install 'symderiv[web]'"


def hosts_of(host: str, port: int, names: tuple[str, ...] = ()) -> set[str]:
    """Return the names that a server answers to: those of loopback, its own address, and those that are given."""
    found = {host, *names} | ({"127.0.0.1", "localhost", "[::1]"} if is_loopback(host) else set())
    plain = {f"[{name}]" if ":" in name and not name.startswith("[") else name for name in found}
    return {f"{name}:{port}" for name in plain} | (plain if port == 80 else set())


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; refuse where it cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio lets packets wait
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError as err:
        raise UnsupportedError(
            f"the address {host}:{port} cannot be had: {err.strerror or err}", hint="choose another --port, or --port 0"
        ) from None
    return found


def run(
    host: str = LOOPBACK,
    port: int = 8000,
    names: tuple[str, ...] = (),
    limits: Limits | None = None,
    opening: bool = True,
    told: Callable[[str], Any] = print,
) -> None:
    """Serve the page until it is interrupted; `told` is called with its address."""
    try:
        import uvicorn
    except ImportError:
        raise UnsupportedError("the server needs the library uvicorn", hint=MISSING) from None
    with listening(host, port) as found:
        port = found.getsockname()[1]
        app = App(Workers(limits), hosts_of(host, port, names))
        config = uvicorn.Config(
            app, log_level="warning", lifespan="on", server_header=False, date_header=False, ws="none",
            limit_concurrency=400, timeout_keep_alive=30, h11_max_incomplete_event_size=32_768, access_log=False,
        )  # fmt: skip
        server = uvicorn.Server(config)
        shown = "localhost" if is_loopback(host) else f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{port}/"
        Thread(target=_when_started, args=(server, address, opening, told), daemon=True).start()
        server.run(sockets=[found])


def _when_started(server: Any, address: str, opening: bool, told: Callable[[str], Any]) -> None:
    while not server.started:
        if server.should_exit:
            return
        sleep(0.02)
    told(address)
    if opening:
        webbrowser.open(address)
