"""What a user has caused, as data: what is wrong, where, the shapes, what to do about it."""

from __future__ import annotations

from typing import Any

from symderiv.errors import Place, SymderivError

Answer = dict[str, Any]


def refused(err: SymderivError) -> Answer:
    """Return the answer that is none: the error as data."""
    return {
        "ok": False,
        "error": error(err),
    }


def error(err: SymderivError) -> dict[str, Any]:
    """Return an error as data."""
    place = None if err.place is None else _place(err.place)
    said = {"kind": type(err).__name__, "message": err.message, "hint": err.hint}
    return said | {"shapes": err.shapes, "place": place}


def _place(place: Place) -> dict[str, Any]:
    return {
        "text": place.text, "line": place.line, "column": place.column, "source": place.source,
        "end": place.end if place.end is not None else place.column + 1,
    }  # fmt: skip
