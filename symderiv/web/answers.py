"""The pure function behind the page: a question as plain data, the answer as plain data.

Nothing is kept between questions but results that a next question will want again; nothing is read or written.
What a user can cause comes back as `{"ok": False, "error": …}`, never as an exception.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from symderiv.errors import ParseError, SymderivError, UnsupportedError
from symderiv.tensor.parse import SQUARE, TRAITS
from symderiv.web.asked import LANGUAGES, Asked, asked
from symderiv.web.faults import Answer, refused
from symderiv.web.words import words

TOO_DEEP = "the input is too deep or too large"


def about(question: Asked) -> Answer:
    """Say what there is to choose from."""
    return {
        "version": installed(), "languages": LANGUAGES, "traits": sorted(TRAITS), "square": sorted(SQUARE),
        "words": words(question.language),
    }  # fmt: skip


def installed() -> str:
    """Return the version of the package; nothing where it was copied and not installed, as into a browser."""
    if sys.platform == "emscripten":
        return ""
    from importlib.metadata import PackageNotFoundError, version  # not in a browser: it brings much along

    try:
        return version("symderiv")
    except PackageNotFoundError:
        return ""


MODULES = {
    "derivatives": ("read", "derive", "proof", "why", "notes", "code", "copies", "graph", "verify"),
    "sheets": ("statements",),
    "homework": ("homework",),
    "examples": ("examples", "example"),
    "rulebook": ("rule",),
}  # imported when they are first asked: a browser has the first derivative sooner
WHERE = {ask: f"symderiv.web.{module}" for module, asks in MODULES.items() for ask in asks}
ASKED = ("about", *WHERE)


def reader(ask: str) -> Callable[[Asked], Answer]:
    """Return what answers a kind of question."""
    if ask not in WHERE:
        return about
    found: Callable[[Asked], Answer] = import_module(WHERE[ask]).ANSWERS[ask]
    return found


def load() -> None:
    """Import all that answers."""
    for ask in ASKED:
        reader(ask)


def answer(data: Any) -> Answer:
    """Return the answer to a question.

    >>> asked = {"ask": "derive", "expr": "x @ A @ x", "wrt": ["x"]}
    >>> answer(asked)["result"]
    '(A + A.T) @ x'
    >>> answer({"ask": "derive", "expr": "x @ A @", "wrt": ["x"]})["error"]["kind"]
    'ParseError'
    """
    try:
        question = asked(data)
        if question.ask not in ASKED:
            raise ParseError(f"nothing is known of {question.ask!r}", hint=f"ask {', '.join(ASKED)}")
        return {"ok": True, **reader(question.ask)(question)}
    except SymderivError as err:
        return refused(err)
    except ModuleNotFoundError as err:  # in a browser there is less than where the package is installed
        return refused(
            UnsupportedError(f"this needs {err.name}, which is not here", hint="the installed package has it")
        )
    except (RecursionError, MemoryError):
        return refused(UnsupportedError(TOO_DEEP, hint="name intermediate results, or take fewer derivatives"))
