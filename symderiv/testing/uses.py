"""What is done with random texts: each is read, or refused by an error that can be shown; what was read is written.

What comes out, in whatever format, is inert (:mod:`symderiv.testing.inert`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from symderiv.check.stored import check_proof
from symderiv.derivation import Derivation, derive
from symderiv.diagrams.layout import MissingLayoutError
from symderiv.errors import SymderivError, UnsupportedError
from symderiv.generating import generate
from symderiv.handout.build import Built, read_and_decide, rendered
from symderiv.handout.source import read_source
from symderiv.inputs import Shapes
from symderiv.lower import lower
from symderiv.marking import homework
from symderiv.render.document import render
from symderiv.render.latex import Latex
from symderiv.render.mathtext import is_harmless
from symderiv.statements.block import Names, read_block
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import Scope, parse, scope_of
from symderiv.tensor.text import to_text
from symderiv.testing import inert
from symderiv.testing.texts import LAYER, NAMES

LONGEST_MESSAGE = 4000
LOWERED = 60  # nodes of an expression that is also put into index notation

FUNCTIONS_WITHOUT_FORMULA = {"h": ["dh", "d2h"]}


class Broken(Exception):
    """What was read came out in a form that it must not have."""


def _scope(indices: bool) -> Scope:
    scope = scope_of(NAMES, None, FUNCTIONS_WITHOUT_FORMULA)
    scope.indices = indices
    return scope


SCOPES = (_scope(False), _scope(True))
LABELS = {key: label for label, key in SCOPES[0].functions.items()}


def shown(err: SymderivError) -> None:
    """Refuse an error that is no help: one that cannot be shown, is empty or has no end."""
    message = str(err)
    if not message.strip() or len(message) > LONGEST_MESSAGE:
        raise Broken(f"a message of {len(message)} characters") from err
    if not prints(message):
        raise Broken(f"a message that does not print: {message!r}") from err


def prints(text: str) -> bool:
    """Tell whether all of a text can be seen."""
    return all(c.isprintable() or c == "\n" for c in text)


def well(fault: str, what: str) -> None:
    """Refuse what has a fault."""
    if fault:
        raise Broken(f"{what} with {fault}")


# ---------------------------------------------------------------- expressions and statements


def read_expression(text: str) -> None:
    """Read an expression; write it as text, which must be read as the same shape again, and as LaTeX."""
    scope = SCOPES["[" in text]
    expr = parse(text, scope)
    again = parse(to_text(expr, LABELS), scope)
    if again.shape != expr.shape:
        raise Broken(f"read again with shape {again.shape} instead of {expr.shape}")
    harmless(expr, LABELS, "LaTeX")
    if expr.weight <= LOWERED and not scope.indices:
        lower(expr)


def harmless(expr: Expr, functions: Mapping[tuple[str, int], str], what: str) -> None:
    """Refuse an expression whose LaTeX leaves the mathematics."""
    latex = Latex({}, functions=functions).matrix(expr)
    if not is_harmless(latex):
        raise Broken(f"{what} that is not inert: {latex[:200]}")


def read_statements(text: str) -> None:
    """Read a block of statements."""
    read_block(text, Names())


def mark_chain(text: str) -> None:
    """Read a derivation in LaTeX, decide it, and say what became of it."""
    said = str(homework(text, LAYER))
    if not prints(said):
        raise Broken(f"a verdict that does not print: {said!r}")


# ---------------------------------------------------------------- documents


def read_handout(text: str) -> None:
    """Read the source of a handout: front matter, prose, blocks."""
    read_source(text, Path("handout.md"))


def built(text: str) -> Built:
    """Return a handout with its claims decided."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "handout.md"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return read_and_decide(path)


def write_document(text: str) -> None:
    """Read a handout, decide its claims, write it as TeX and Markdown, and its code."""
    found = built(text)
    well(inert.latex(rendered(found, "tex").decode(), document=True), "TeX")
    well(inert.python(rendered(found, "py").decode()), "a module")
    rendered(found, "md")


def write_page(text: str) -> None:
    """Read a handout and write it as HTML and as Typst."""
    document = built(text).document
    well(inert.html(str(render(document, "html"))), "HTML")
    well(inert.typst(str(render(document, "typ"))), "Typst")


# ---------------------------------------------------------------- names


def take_names(text: str) -> None:
    """Use a text as every name there is, one after the other: of an array, of a size, of a function, of the code."""
    x = {"x": ("n",)}
    named: dict[str, tuple[str, str, Shapes, dict[str, list[str]]]] = {
        "array": (f"sum({text}**2) + {text} @ y", text, {text: ("n",), "y": ("n",)}, {}),
        "matrix": (f"norm({text} @ x - y)**2", "x", {text: ("n", "n"), "y": ("n",), **x}, {}),
        "size": ("sum(x**2) / len(x)", "x", {"x": (text,)}, {}),
        "function": (f"sum({text}(x))", "x", x, {text: ["d1"]}),
        "derivative": ("sum(h(x))", "x", x, {"h": [text]}),
    }
    for name, (expr, wrt, shapes, functions) in named.items():
        try:
            d = derive(expr, wrt, shapes=shapes, functions=functions)
            made = generate(expr, wrt, shapes=shapes, functions=functions, second=("hvp",))
        except SymderivError as err:
            shown(err)
            continue
        write_everything(d, name)
        well(inert.python(made.module) or inert.python(made.tests, made.name), f"the module of {name}")
    made = generate("sum(x**2)", "x", shapes=x, name=text)
    well(inert.python(made.module) or inert.python(made.tests, text), "a module of that name")
    if set(made.files) != {f"{text}.py", f"test_{text}.py"}:
        raise Broken(f"the files {', '.join(made.files)}")


def write_everything(d: Derivation, name: str) -> None:
    """Write a derivative in every form; no more than text may come of a name."""
    well(inert.python(d.to_numpy(value=True)), f"code of {name}")
    d.compile(value=True)
    harmless(d.result.expr, d.functions, f"LaTeX of {name}")
    well(inert.latex(d.to_latex() + d.proof.to_latex()), f"LaTeX of {name}")
    check_proof(d.proof.to_json())
    with suppress(UnsupportedError):  # a rule that certificates do not cover
        well(inert.coq(d.proof.to_coq()), f"a certificate of {name}")
    with suppress(MissingLayoutError):
        well(inert.svg(d.diagram().svg()), f"SVG of {name}")
        well(inert.latex(d.diagram().tikz()), f"TikZ of {name}")


# ---------------------------------------------------------------- proofs


@cache
def proofs() -> tuple[str, ...]:
    """Return some true proofs as they are stored."""
    found = [derive(expr, wrt, shapes=NAMES) for expr, wrt in (("x @ A @ x", "x"), ("norm(X @ w - y)**2", "w"))]
    found.append(derive("sum(log(1 + exp(-y * (X @ w))))", "w", shapes=NAMES))
    return tuple(d.proof.to_json() for d in found)


def read_proof(text: str) -> None:
    """Read a stored proof and have the kernel examine it."""
    check_proof(text)
