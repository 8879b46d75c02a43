"""The options that say what the names of an expression mean, and how they are read."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

import click

from symderiv.errors import ParseError, Place

DETAILS = ("brief", "normal", "full")
LAYOUTS = ("numerator", "denominator")

Callback = Callable[..., Any]  # what a command calls


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An expression, and what the options say about its names."""

    expression: str
    wrt: tuple[str, ...]
    shape: tuple[str, ...]
    assume: tuple[str, ...]
    function: tuple[str, ...]
    structured: bool

    def keywords(self, order: int) -> dict[str, Any]:
        """Return the keyword arguments of the engine; derivatives of unknown functions are named up to an order."""
        shapes = read_shapes(self.shape)
        functions = read_functions(self.function, order, shapes)
        assume = read_assumptions(self.assume)
        return {"shapes": shapes, "assume": assume, "functions": functions, "structured": self.structured}


def gathered(kind: type, name: str) -> Callable[[Callback], Callback]:
    """Hand the options that are fields of a dataclass to a command as one object of it."""
    own = {field.name for field in fields(kind)}

    def around(command: Callback) -> Callback:
        @functools.wraps(command)
        def called(*args: Any, **options: Any) -> Any:
            taken = {key: options.pop(key) for key in own & options.keys()}
            return command(*args, **{name: kind(**taken)}, **options)

        return called

    return around


def with_options(command: Callback, options: Iterable[Callable[[Callback], Callback]]) -> Callback:
    """Add options to a command, the first one on top of its help."""
    for option in reversed([*options]):
        command = option(command)
    return command


def expression_options(command: Callback) -> Callback:
    """Add the EXPRESSION and the options that say what its names mean, as `asked`; and `--json`."""
    options = [
        click.argument("expression"),
        click.option("--wrt", multiple=True, required=True, metavar="NAME",
                     help="The variable to differentiate in; once for each derivative."),
        click.option("--shape", multiple=True, metavar="'NAME: (SIZES)'",
                     help="The shape of a variable: 'X: (n, p)', 'x: (n,)', 'a: ()'; or 'k: size'."),
        click.option("--assume", multiple=True, metavar="'NAME: PROPERTY'",
                     help="What is known of a variable: 'S: symmetric'."),
        click.option("--function", multiple=True, metavar="NAME",
                     help="An unknown entrywise function; 'h: dh, d2h' names its derivatives."),
        click.option("--structured", is_flag=True,
                     help="Differentiate over the free entries of symmetric and diagonal variables."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    ]  # fmt: skip
    return with_options(gathered(Asked, "asked")(command), options)


def read_shapes(texts: Iterable[str]) -> dict[str, tuple[str | int, ...] | str]:
    """Return the shapes that `NAME: (sizes)` declares, sizes that `NAME: size` does.

    The text is read with `ast`, never evaluated.

    >>> read_shapes(["X: (n, 3)", "a: ()"])
    {'X': ('n', 3), 'a': ()}
    """
    shapes: dict[str, tuple[str | int, ...] | str] = {}
    for text in texts:
        name, shape = _read_shape(text.strip())
        if name in shapes:
            raise ParseError(f"the shape of {name} is given twice", place=Place(text.strip(), source="--shape"))
        shapes[name] = shape
    return shapes


def _read_shape(text: str) -> tuple[str, tuple[str | int, ...] | str]:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _not_a_shape(text, getattr(error, "offset", None)) from None
    match body:
        case [ast.AnnAssign(target=ast.Name(id=name), value=None, annotation=ast.Tuple(elts=sizes))]:
            return name, tuple(_read_size(size, text) for size in sizes)
        case [ast.AnnAssign(target=ast.Name(id=name), value=None, annotation=ast.Name(id="size"))]:
            return name, "size"
    raise _not_a_shape(text, None)


def _read_size(node: ast.expr, text: str) -> str | int:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value > 0:
            return value
    start, end = (len(text.encode()[:byte].decode()) for byte in (node.col_offset, node.end_col_offset or 0))
    place = Place(text, start, end, source="--shape")
    raise ParseError("this is not a size", place=place, hint="write a name such as n, or a positive integer")


def _not_a_shape(text: str, offset: int | None) -> ParseError:
    name, colon, rest = text.partition(":")
    name, rest = name.strip(), rest.strip()
    column = max(0, (offset or 1) - 1)
    if ";" in rest or re.search(r"\)\s*,?\s*\w+\s*:", rest):
        parts = re.findall(r"\w+\s*:\s*\([^()]*\)", text)
        more = " ".join(f'--shape "{part}"' for part in parts) or '--shape "X: (n, p)" --shape "w: (p,)"'
        place = Place(text, text.find(";") if ";" in text else 0, source="--shape")
        return ParseError("one shape for each --shape", place=place, hint=f"write {more}")
    if not colon:
        apart = re.match(r"(\w+)\s*=?\s*(\(.*\))$", text)
        name, rest = apart.groups() if apart else (text if text.isidentifier() else "X", "(n, p)")
        return ParseError(
            "a shape needs a colon after the name",
            place=Place(text, apart.end(1) if apart else len(text), source="--shape"),
            hint=f'write --shape "{name}: {rest}"',
        )
    if not name.isidentifier():
        return ParseError(
            f"{name!r} is not a name", place=Place(text, source="--shape"), hint='write --shape "X: (n, p)"'
        )
    with_property = re.fullmatch(r"(\w+)(\(.*\))", rest)
    if with_property:
        trait, shape = with_property.groups()
        hint = f'write --shape "{name}: {shape}" --assume "{name}: {trait}"'
    else:
        hint = f'write --shape "{name}: {_completed(rest)}"; a vector is (n,) and a scalar ()'
    return ParseError("this is not a shape", place=Place(text, column, source="--shape"), hint=hint)


def _completed(sizes: str) -> str:
    """Return sizes as the tuple they were probably meant to be."""
    names = re.findall(r"\w+", sizes)
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names) or 'n, p'})"


def read_assumptions(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return the assumptions on each name.

    >>> read_assumptions(["S: symmetric, invertible", "x: positive"])
    {'S': ['symmetric', 'invertible'], 'x': ['positive']}
    """
    assumptions: dict[str, list[str]] = {}
    for text in texts:
        name, words = _read_words(text, "--assume", '"S: symmetric"')
        if not words:
            raise ParseError(f"nothing is assumed about {name}", hint=f'write --assume "{name}: symmetric"')
        assumptions.setdefault(name, []).extend(words)
    return assumptions


def read_functions(texts: Iterable[str], order: int, taken: Iterable[str]) -> dict[str, list[str]]:
    """Return unknown functions with names for derivatives up to an order: `dh`, `d2h`, … unless given.

    >>> read_functions(["h", "g: slope"], 2, ["x"])
    {'h': ['dh', 'd2h'], 'g': ['slope', 'd2g']}
    """
    given = dict(_read_words(text, "--function", 'h or "h: dh, d2h"') for text in texts)
    used = {*taken, *given, *(label for labels in given.values() for label in labels)}
    for name, labels in given.items():
        for k in range(len(labels) + 1, order + 1):
            label = f"d{k if k > 1 else ''}{name}"
            while label in used:
                label += "_"
            used.add(label)
            labels.append(label)
    return given


def _read_words(text: str, option: str, example: str) -> tuple[str, list[str]]:
    """Read `NAME: word, word`, of which the name alone may stand."""
    name, colon, rest = text.partition(":")
    words = [word.strip() for word in rest.split(",")] if colon else []
    wrong = next((word for word in (name.strip(), *words) if not word.isidentifier()), None)
    if wrong is not None:
        start = text.find(wrong)
        place = Place(text, start, start + len(wrong), source=option)
        raise ParseError(f"{wrong!r} is not a name", place=place, hint=f"write {option} {example}")
    return name.strip(), words
