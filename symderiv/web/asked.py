"""What the page asks, read from plain data: every field has its kind and its bounds."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symderiv import trees
from symderiv.errors import ParseError, Place
from symderiv.tensor.syntax import check_bounds

LONGEST = 20_000  # characters of one text
MOST_NAMES = 200
MOST_VARIABLES = 8  # to differentiate in, one after the other
LANGUAGES = ("en", "de", "ja")
CHOICES = {
    "detail": ("brief", "normal", "full"),
    "layout": ("array", "numerator", "denominator"),
    "language": LANGUAGES,
}
SIZE = "size"  # what `symderiv.inputs` calls a size; the server is there before the engine is loaded
Shape = tuple[str | int, ...] | str
LATEX = re.compile(r"[\\{}]")  # what NumPy's notation has none of
NUMPY = re.compile(r"@|\*\*|[a-z]{3,}\s*\(")  # what LaTeX has none of


@dataclass(frozen=True)
class Asked:
    """One question about an expression, or about a block of statements.

    >>> asked({"ask": "derive", "expr": "x @ x", "wrt": ["x"], "shapes": {"x": "(n,)"}}).shapes
    {'x': ('n',)}
    """

    ask: str
    expr: str = ""
    wrt: tuple[str, ...] = ()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    assume: Mapping[str, list[str]] = field(default_factory=dict)
    structured: bool = False
    claim: str = ""
    text: str = ""
    given: str = ""
    name: str = ""
    language: str = "en"
    detail: str = "normal"
    layout: str = "array"

    @property
    def subject(self) -> str:
        """Return what the question is about, as a text: questions that share it share their work."""
        return json.dumps([self.expr, self.wrt, self.shapes, self.assume, self.structured], sort_keys=True)


def asked(data: Any) -> Asked:
    """Return a question; what has another form than the page gives it is refused."""
    if not isinstance(data, Mapping):
        raise ParseError("a question is an object")
    unknown = sorted(str(key) for key in data if key not in READERS)
    if unknown:
        raise ParseError(f"a question has no field {unknown[0]!r}", hint=f"fields are {', '.join(READERS)}")
    if "ask" not in data:
        raise ParseError("a question says what it asks", hint='add "ask": "derive"')
    fields: dict[str, Any] = {key: READERS[key](key, value) for key, value in data.items()}
    return Asked(**fields)


def is_latex(text: str) -> bool:
    r"""Tell LaTeX from NumPy's notation.

    >>> (
    ...     is_latex(r"\|X w\|"),
    ...     is_latex("x^T A x"),
    ...     is_latex("norm(X @ w)**2"),
    ...     is_latex("norm(x)^2"),
    ... )
    (True, True, False, False)
    """
    return LATEX.search(text) is not None or ("^" in text and not NUMPY.search(text))


# ---------------------------------------------------------------- one field


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ParseError(f"{key} is a text, not {type(value).__name__}")
    if len(value) > LONGEST:
        raise ParseError(f"{key} has {len(value)} characters, more than {LONGEST}")
    return value


def _choice(key: str, value: Any) -> str:
    if _text(key, value) not in CHOICES[key]:
        raise ParseError(f"unknown {key} {value!r}", hint=f"choose {', '.join(CHOICES[key])}")
    return str(value)


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ParseError(f"{key} is true or false")
    return value


def _names(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MOST_VARIABLES:
        raise ParseError(f"{key} is a list of at most {MOST_VARIABLES} names")
    return tuple(_text(key, name) for name in value)


def _table(key: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping) or len(value) > MOST_NAMES:
        raise ParseError(f"{key} is a table of at most {MOST_NAMES} names")
    return value


def _shapes(key: str, value: Any) -> dict[str, Shape]:
    return {_text(key, name): read_shape(_text(key, text)) for name, text in _table(key, value).items()}


def _assumptions(key: str, value: Any) -> dict[str, list[str]]:
    return {_text(key, name): list(_names(key, words)) for name, words in _table(key, value).items() if words}


READERS: dict[str, Callable[[str, Any], Any]] = {
    "ask": _text, "expr": _text, "wrt": _names, "shapes": _shapes, "assume": _assumptions, "structured": _flag,
    "claim": _text, "text": _text, "given": _text, "name": _text,
    "language": _choice, "detail": _choice, "layout": _choice,
}  # fmt: skip


# ---------------------------------------------------------------- shapes


def read_shape(text: str) -> Shape:
    """Return the shape that a text such as `(n, p)` stands for; brackets may be left out, `size` is a size.

    >>> read_shape("(n, 3)"), read_shape("n"), read_shape("()"), read_shape("size")
    (('n', 3), ('n',), (), 'size')
    """
    stripped = text.strip()
    if stripped == SIZE:
        return SIZE
    try:
        check_bounds(text)
        tree = trees.expression(stripped or "()")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _no_shape(text) from None
    parts = tree.elts if isinstance(tree, (ast.Tuple, ast.List)) else [tree]
    return tuple(_size(part, text) for part in parts)


def _size(part: ast.expr, text: str) -> str | int:
    match part:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value > 0:
            return value
    raise _no_shape(text)


def _no_shape(text: str) -> ParseError:
    hint = "a matrix is (n, p), a vector (n,), a number (); sizes are names or positive integers"
    return ParseError("this is not a shape", place=Place(text, 0, len(text), source="shape"), hint=hint)
