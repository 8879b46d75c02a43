"""A derivation in LaTeX, equality by equality: what each says, what became of it, and its proof."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from symderiv.errors import SymderivError
from symderiv.handout.views import Printer
from symderiv.marking import Checked, marked
from symderiv.render.phrases import phrase
from symderiv.tensor.parse import KNOWN
from symderiv.tensor.syntax import check_bounds, statement_tree
from symderiv.verdict import told_apart
from symderiv.web.asked import Asked, Shape
from symderiv.web.derivatives import written
from symderiv.web.faults import error
from symderiv.web.guessing import callee, guess
from symderiv.web.remembered import Remembering
from symderiv.web.sheets import claimed, read
from symderiv.web.spoken import scope

NO_ARRAYS = frozenset(["index", "integer", "elementwise", "function"])  # declared so, a name has no shape
DERIVING = frozenset(["diff", "partial", "directional"])
LARGEST = 400  # parts of a definition, others put in, whose shapes are guessed


def answered(question: Asked) -> dict[str, Any]:
    """Return the equalities of a derivation with their verdicts, and the shapes that were guessed for its names."""
    guessed = undeclared(question.given)
    sheet = Remembering()
    sheet.read("\n".join(guessed))
    declared = read(question.given, sheet)
    found: dict[str, Any] = {
        "guessed": guessed, "faults": [error(err) for err in declared.faults], "rows": [], "fault": None, "wrong": 0,
    }  # fmt: skip
    if declared.faults or not question.text.strip():
        return found
    try:
        done = marked(question.text, declared.sheet)
    except SymderivError as err:
        return found | {"fault": error(err)}
    printer = Printer(declared.sheet, language=question.language, detail=question.detail)
    wrong = done.first_wrong
    rows = [row(e, printer, question.language) for e in done.equalities]
    return found | {"rows": rows, "wrong": wrong.number if wrong is not None else 0}


def row(e: Checked, printer: Printer, language: str) -> dict[str, Any]:
    """Return one equality as typed, with what became of it."""
    place = {"line": e.place.line, "column": e.place.column, "end": e.place.end, "text": e.place.text}
    reason, reason_language = scope(e.reason, language)
    found: dict[str, Any] = {
        "number": e.number, "latex": e.latex, "status": e.status, "basis": e.basis, "place": place,
        "reason": "" if e.status == "proved" else reason, "reasonLanguage": reason_language,
        "remarks": list(e.remarks), "claim": None,
    }  # fmt: skip
    if e.claim is not None:
        found["claim"] = claimed(printer.claim(e.claim), e.claim, language) | {"remark": ""}
        found["claim"] |= counterexample(e, language)
    return found


def counterexample(e: Checked, language: str) -> dict[str, Any]:
    """Return where an equality fails: sizes, the indices, which count from 1 as in the notes, and both values."""
    found = e.counterexample
    if found is None:
        return {}
    left, right = told_apart(found.left, found.right)
    names = e.indices()
    at = [f"{name} = {k + 1}" for name, k in zip(names, found.entry, strict=False)]
    at += [str([k + 1 for k in found.entry[len(names) :]])] if found.entry[len(names) :] else []
    entry = ", ".join(at)
    rows = [
        ("sizes", ", ".join(f"{name} = {size}" for name, size in found.sizes.items())), ("entry", entry),
        ("left_side", left), ("right_side", right),
    ]  # fmt: skip
    shown = [[phrase(language, key), value] for key, value in rows if value]
    return {"counterexample": shown, "entry": entry, "entryFrom": 1}


# ---------------------------------------------------------------- shapes that nobody gave


def undeclared(text: str) -> list[str]:
    r"""Return declarations for the arrays that definitions use and nothing declares, their shapes guessed.

    >>> undeclared("f = norm(X @ w - y)**2")
    ['X: (n, p)', 'w: (p,)', 'y: (n,)']
    >>> undeclared("X: (a, b)\nu = X @ w\nf = u @ u")
    ['w: (b,)']
    """
    try:
        check_bounds(text)
        body = statement_tree(text).body
    except SymderivError:
        return []
    declared: dict[str, Shape | None] = {}
    defined: dict[str, ast.expr] = {}
    sizes: dict[str, int] = {}
    for statement in body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=shape):
                declared[name] = _shape(shape)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not _derives(value):
                defined[name] = _Insert(defined).visit(value) if _whole(value, sizes) <= LARGEST else value
                sizes[name] = _whole(value, sizes)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.FunctionDef(name=name):
                declared[name] = None
            case ast.For() | ast.With():
                return []  # members of families: their shapes stand in the loop
    shapes = {name: shape for name, shape in declared.items() if shape is not None}
    found: dict[str, Shape] = {}
    for value in reversed(defined.values()):  # the last is made of the others, and says the most
        found |= dict(_guessed(ast.unparse(value), {**shapes, **found}, {*declared, *defined, *found}))
    return [f"{name}: {written(shape)}" for name, shape in found.items()]


def _guessed(text: str, shapes: dict[str, Shape], known: set[str]) -> Iterator[tuple[str, Shape]]:
    """Yield the names of a definition that are not known, with their shapes."""
    try:
        guessed = guess(text, shapes)
    except SymderivError:
        return
    yield from ((name, shape) for name, shape in guessed.shapes.items() if name not in known and shape != "size")


def _derives(value: ast.expr) -> bool:
    """Tell a derivative, or the value of a function that has no formula: it says nothing about shapes."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    return any(callee(node) in DERIVING or callee(node) not in KNOWN for node in calls)


def _whole(value: ast.expr, sizes: dict[str, int]) -> int:
    """Return how many parts an expression has when definitions are put in."""
    return sum(sizes.get(n.id, 1) if isinstance(n, ast.Name) else 1 for n in ast.walk(value))


class _Insert(ast.NodeTransformer):
    """Puts definitions into an expression."""

    def __init__(self, defined: dict[str, ast.expr]) -> None:
        self.defined = defined

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.defined.get(node.id, node)


def _shape(node: ast.expr) -> Shape | None:
    """Return the shape of a declaration; none where it declares no array."""
    match node:
        case ast.Tuple(elts=parts):
            pass
        case ast.Call(func=ast.Name(id=word), args=parts) if word not in NO_ARRAYS:
            pass
        case _:
            return None
    sizes = [part.id if isinstance(part, ast.Name) else getattr(part, "value", None) for part in parts]
    return tuple(s for s in sizes if isinstance(s, (str, int))) if None not in sizes else None


ANSWERS = {"homework": answered}
