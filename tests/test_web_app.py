"""The server's answers to requests, honest and hostile ones; the work behind it is stood in for."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from symderiv.errors import UnsupportedError
from symderiv.web import app as server
from symderiv.web.app import MOST_BYTES, POLICY, App, page_files
from symderiv.web.server import hosts_of, is_loopback, listening

PAGES = {"/index.html": b"<!doctype html>", "/page.js": b"1", "/fonts/a.woff2": b"w"}
HOST = "localhost:8000"


@dataclass
class StandIn:
    """Workers that answer at once, or never."""

    found: dict = field(default_factory=lambda: {"ok": True})
    asked: list = field(default_factory=list)
    cancelled: bool = False
    never: bool = False

    async def ask(self, data, subject=""):
        self.asked.append(data)
        try:
            if self.never:
                await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.found


def request(method="GET", path="/", headers=None, body=b"", workers=None, pieces=None, leaves=False):
    """Return status, headers and body of a response; `leaves` is a client that does not wait."""
    sent: list = []
    chunks = list(pieces) if pieces is not None else [body]
    named = {"host": HOST, **(headers or {})}

    async def receive():
        if chunks:
            piece = chunks.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(chunks)}
        if leaves:
            return {"type": "http.disconnect"}
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in named.items()],
    }
    asyncio.run(App(workers or StandIn(), {HOST}, PAGES)(scope, receive, send))
    if not sent:
        return None, {}, b""
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:])


def post(data, workers=None, **headers):
    return request("POST", "/ask", {"content-type": "application/json", **headers}, json.dumps(data).encode(), workers)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/fonts/a.woff2", "font/woff2"),
    ],
)
def test_the_files_of_the_page_are_sent(path, kind):
    status, headers, body = request(path=path)
    assert (status, headers["content-type"]) == (200, kind)
    assert int(headers["content-length"]) == len(body) > 0


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/page.js/..", "/etc/passwd", "//page.js", "/%2e%2e/app.py", "/fonts/", "/fonts", "/\x00"],
)
def test_nothing_else_is_there(path):
    assert request(path=path)[0] == 404


def test_every_response_forbids_what_the_page_does_not_need():
    for status, headers, _ in (request(), request(path="/no"), post({"ask": "about"}), post(3)):
        assert headers["content-security-policy"] == POLICY, status
        assert headers["x-content-type-options"] == "nosniff"
    script = dict(part.strip().split(" ", 1) for part in POLICY.split(";"))
    assert script["script-src"] == "'self'" and script["default-src"] == "'none'"
    assert "unsafe" not in POLICY and "http" not in POLICY


def test_a_page_that_is_known_is_not_sent_again():
    _, headers, _ = request()
    status, _, body = request(headers={"if-none-match": headers["etag"]})
    assert (status, body) == (304, b"")


def test_only_the_own_name_is_answered():
    for host in ("evil.example", "localhost", "localhost:9", "", "localhost:8000.evil.example"):
        assert request(headers={"host": host})[0] == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_questions_from_elsewhere_are_refused(headers):
    workers = StandIn()
    assert post({"ask": "about"}, workers, **headers)[0] == 403
    assert workers.asked == []


@pytest.mark.parametrize("headers", [{}, {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}])
def test_questions_of_the_page_are_answered(headers):
    workers = StandIn()
    status, found, body = post({"ask": "about"}, workers, **headers)
    assert (status, json.loads(body), found["cache-control"]) == (200, {"ok": True}, "no-store")
    assert workers.asked == [{"ask": "about"}]


def test_a_form_elsewhere_cannot_ask():
    """Browsers let any page post text; a question has to say that it is JSON, for which they ask first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert request("POST", "/ask", {"content-type": kind}, b'{"ask": "about"}')[0] == 415
    assert request("OPTIONS", "/ask", {"origin": "http://evil.example"})[0] == 405


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b"\xff", b"[" * 20000, b'{"ask": 3}', b'{"ask": "derive", "x": 1}']
)
def test_what_is_no_question_is_refused_in_words(body):
    workers = StandIn()
    status, _, said = request("POST", "/ask", {"content-type": "application/json"}, body, workers)
    assert status == 400 and not json.loads(said)["ok"]
    assert workers.asked == []


def test_a_question_of_too_many_bytes_is_not_read_to_its_end():
    kind = {"content-type": "application/json"}
    assert request("POST", "/ask", {**kind, "content-length": str(MOST_BYTES + 1)}, b"x")[0] == 413
    assert request("POST", "/ask", kind, pieces=[b"x" * 50_000] * 4)[0] == 413


def test_a_question_that_does_not_arrive_is_given_up(monkeypatch):
    monkeypatch.setattr(server, "BODY_SECONDS", 0.05)
    assert request("POST", "/ask", {"content-type": "application/json"}, pieces=[]) == (None, {}, b"")


def test_the_work_is_stopped_where_nobody_waits_for_it():
    workers = StandIn(never=True)
    body = json.dumps({"ask": "about"}).encode()
    assert request("POST", "/ask", {"content-type": "application/json"}, body, workers, leaves=True)[0] is None
    assert workers.cancelled


def test_a_server_that_is_busy_says_so():
    assert post({"ask": "about"}, StandIn({"ok": False, "busy": True}))[0] == 503


def test_other_methods_are_refused():
    assert request("DELETE", "/page.js")[0] == request("PUT", "/")[0] == request("GET", "/ask")[0] == 405
    status, _, body = request("HEAD", "/page.js")
    assert (status, body) == (200, b"")


def test_the_page_is_built_and_names_nothing_outside():
    pages = page_files()
    assert {"/index.html", "/page.js", "/page.css", "/katex.css", "/worker.js", "/licences.txt"} <= pages.keys()
    page = pages["/index.html"].decode()
    assert "<script>" not in page and "style=" not in page and "http" not in page and "onload" not in page
    assert b"url(http" not in pages["/katex.css"] + pages["/page.css"]
    assert all(b"url(fonts/" in pages["/katex.css"] for _ in (0,))
    assert sum(map(len, pages.values())) < 1_500_000


def test_a_page_that_is_not_built_is_told(tmp_path: Path):
    with pytest.raises(UnsupportedError, match="not built"):
        page_files(tmp_path / "no")


# ---------------------------------------------------------------- where it listens


def test_names_are_those_of_loopback_or_what_is_given():
    assert hosts_of("127.0.0.1", 8000) == {"127.0.0.1:8000", "localhost:8000", "[::1]:8000"}
    assert hosts_of("192.0.2.7", 80, ("lab.example",)) == {"192.0.2.7:80", "192.0.2.7", "lab.example:80", "lab.example"}
    assert hosts_of("::1", 8000) >= {"[::1]:8000", "localhost:8000"}


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("192.0.2.7", False)]
)
def test_loopback_is_told_apart(host, own):
    assert is_loopback(host) == own


def test_an_address_that_is_taken_is_refused_in_words():
    with listening("127.0.0.1", 0) as taken, pytest.raises(UnsupportedError, match="cannot be had"):
        listening("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(UnsupportedError, match="cannot be had"):
        listening("no.such.host.invalid", 8000)


def test_packets_are_sent_at_once():
    """asyncio turns Nagle's algorithm off only where a socket names its protocol; else every answer waits 40 ms."""
    with listening("127.0.0.1", 0) as found:
        assert found.proto == socket.IPPROTO_TCP
