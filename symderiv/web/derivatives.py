"""Questions about one expression: what its names are, its derivative, the proof, the code, a claim about it."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symderiv import dims
from symderiv.derivation import Derivation, derive
from symderiv.errors import SymderivError, UnsupportedError
from symderiv.inputs import read as read_expression
from symderiv.render.latex import Latex
from symderiv.render.whole import display
from symderiv.web import proofs
from symderiv.web.asked import SIZE, Asked, Shape, is_latex
from symderiv.web.faults import error
from symderiv.web.guessing import Guess, guess
from symderiv.web.names import MarkedLatex, numbered, told, with_data
from symderiv.web.spoken import scope

PREFERRED = ("w", "theta", "W", "x", "X", "beta", "b")  # what is differentiated in, where nobody says
KEPT = 12
FUNCTION = "value_and_derivative"


@dataclass
class Subject:
    """An expression with all that was declared or guessed of it, and its derivative."""

    guess: Guess
    derivation: Derivation
    names: list[dict[str, str]]


_KEPT: OrderedDict[str, Subject] = OrderedDict()


def subject(question: Asked) -> Subject:
    """Return the derivative that a question is about; the last ones are kept."""
    key = question.subject
    found = _KEPT.get(key)
    if found is None:
        text, guessed = read_in(question)
        wrt = list(question.wrt) or preferred(guessed)
        d = derive(
            text,
            wrt,
            shapes=guessed.shapes,
            assume=assumed(question, guessed),
            functions=functions_of(guessed, len(wrt)),
            structured=question.structured,
        )
        roots = [d.result.expr, *d.wrt, *(stage.function for stage in d.stages), d.named_result, d.function]
        found = Subject(guessed, d, told(roots, d.functions))
        _KEPT[key] = found
    _KEPT.move_to_end(key)
    while len(_KEPT) > KEPT:
        _KEPT.popitem(last=False)
    return found


def read_in(question: Asked) -> tuple[str, Guess]:
    """Return the expression in NumPy's notation, whichever it was typed in, and the shapes of its names."""
    if not is_latex(question.expr):
        return question.expr, guess(question.expr, question.shapes)
    from symderiv.web.pasted import pasted  # not before somebody pastes LaTeX: it brings its reader along

    found = pasted(question.expr, question.shapes)
    return found.text, guess(found.text, question.shapes, found.ranks)


def assumed(question: Asked, guessed: Guess) -> dict[str, Any]:
    """Return the assumptions on names that the expression still has."""
    return {name: words for name, words in question.assume.items() if name in guessed.shapes}


def preferred(guessed: Guess) -> list[str]:
    """Return the variable that is differentiated in where none is chosen."""
    arrays = [name for name, shape in guessed.shapes.items() if shape != SIZE]
    return [name for name in PREFERRED if name in arrays][:1] or arrays[:1]


def functions_of(guessed: Guess, order: int) -> dict[str, list[str]]:
    """Return the unknown functions with names for their derivatives: `dh`, `d2h`, …"""
    used = {*guessed.shapes, *guessed.functions}
    found: dict[str, list[str]] = {}
    for name in guessed.functions:
        labels = []
        for k in range(1, max(order, 1) + 1):
            label = f"d{k if k > 1 else ''}{name}"
            while label in used:
                label += "_"
            used.add(label)
            labels.append(label)
        found[name] = labels
    return found


def written(shape: Shape) -> str:
    """Return a shape as the page shows it."""
    return SIZE if shape == SIZE else dims.written(dims.shape(shape))


# ---------------------------------------------------------------- answers


def read(question: Asked) -> dict[str, Any]:
    """Return the names of an expression with their shapes, given or guessed, and the expression in mathematics."""
    text, guessed = read_in(question)
    variables = [
        {"name": name, "shape": written(shape), "guessed": name in guessed.guessed, "square": _is_square(shape)}
        for name, shape in guessed.shapes.items()
    ]
    found: dict[str, Any] = {
        "variables": variables, "functions": list(guessed.functions), "wrt": list(question.wrt) or preferred(guessed),
        "numpy": text if text != question.expr else "",
    }  # fmt: skip
    try:
        scope, expr = read_expression(text, guessed.shapes, assumed(question, guessed), functions_of(guessed, 1))
    except SymderivError as err:
        return found | {"fault": error(err)}
    labels = {key: label for label, key in scope.functions.items()}
    return found | {"latex": Latex({}, functions=labels).matrix(expr), "shape": dims.written(expr.shape)}


def _is_square(shape: Shape) -> bool:
    return shape != SIZE and len(shape) == 2 and shape[0] == shape[1]


def result(question: Asked) -> dict[str, Any]:
    """Return the derivative: as text, in mathematics in the wanted layout, over definitions, with its shape."""
    found = subject(question)
    d = found.derivation
    layout = layout_of(question)
    return {
        "result": str(d.result),
        "latex": marked_statement(found, layout),
        "statements": d.statements(),
        "shape": dims.written(d.shape),
        "wrt": [x.name for x in d.wrt],
        "names": found.names,
        "deep": len(d.definitions) > 0,
    }


def layout_of(question: Asked) -> str | None:
    """Return the layout of matrices; none where derivatives are arrays."""
    return None if question.layout == "array" else question.layout


def marked_statement(found: Subject, layout: str | None) -> str:
    """Return `∂f/∂x = result` with its names marked."""
    d = found.derivation
    return with_data(d.statement.latex(layout, MarkedLatex(numbered(found.names), {}, functions=d.functions)))


def notes(question: Asked) -> dict[str, Any]:
    """Return the convention and what was assumed."""
    return {"notes": list(subject(question).derivation.noted(question.language))}


def proof(question: Asked) -> dict[str, Any]:
    """Return the proof at a level of detail, with how many steps the kernel has accepted."""
    found = subject(question)
    d = found.derivation
    chains = proofs.shown(d.proof, numbered(found.names), question.detail, question.language)
    return {"chains": chains, "steps": len(d.proof.steps), "checked": d.proof.accepted, "names": found.names}


def why(question: Asked) -> dict[str, Any]:
    """Return what was done from one line of a proof to the next."""
    d = subject(question).derivation
    return {"steps": proofs.why(d.proof, question.detail, question.language, question.name)}


def code(question: Asked) -> dict[str, Any]:
    """Return a NumPy function for the value and the derivative."""
    return {"numpy": subject(question).derivation.to_numpy(name=FUNCTION, value=True)}


def copies(question: Asked) -> dict[str, Any]:
    """Return the derivative with its proof as LaTeX, as Markdown and as text."""
    d = subject(question).derivation
    detail, language, layout = question.detail, question.language, layout_of(question)
    chains = display(d.proof.views(detail, language))
    statement = d.to_latex(layout)
    noted = d.noted(language)
    return {
        "latex": f"\\[\n{statement}\n\\]\n\n{d.proof.to_latex(detail, language)}",
        "markdown": "\n\n".join([
            f"`{d.result}`", f"$$\n{statement}\n$$", chains, *noted, f"```python\n{code(question)['numpy']}```",
        ]) + "\n",
        "text": "\n\n".join([str(d.result), d.proof.to_text(detail, language), *noted]) + "\n",
    }  # fmt: skip


def graph(question: Asked) -> dict[str, Any]:
    """Return what the function is made of: its definitions as nodes, values forward and derivatives back."""
    d = subject(question).derivation
    found = d.diagram().graph
    return {
        "function": found.function,
        "nodes": [dataclasses.asdict(node) for node in found.nodes],
        "edges": [dataclasses.asdict(edge) for edge in found.edges],
    }


def verified(question: Asked) -> dict[str, Any]:
    """Decide a claimed derivative."""
    from symderiv.verdict import told_apart, verify  # not before an answer is checked: they bring much along

    text, guessed = read_in(question)
    wrt = list(question.wrt) or preferred(guessed)
    if not question.claim.strip():
        raise UnsupportedError("there is no answer to check", hint="write what you think the derivative is")
    v = verify(
        text,
        wrt,
        question.claim,
        shapes=guessed.shapes,
        assume=assumed(question, guessed),
        functions=functions_of(guessed, len(wrt)),
        structured=question.structured,
        latex=is_latex(question.claim),
    )
    example = v.counterexample
    said, language = scope(v.scope, question.language)
    values = {}
    if example is not None:
        values["left"], values["right"] = told_apart(example.left, example.right)
    return {
        "status": v.status,
        "basis": v.basis,
        "scope": said,
        "scopeLanguage": language,
        "correct": str(v.correct),
        "latex": v.derivation.to_latex(layout_of(question)),
        "counterexample": None if example is None else plain(dataclasses.asdict(example)) | values,
    }


def plain(value: Any) -> Any:
    """Return numbers, texts, lists and tables only: what is not finite as text, what is none of these as text."""
    match value:
        case dict():
            return {str(key): plain(entry) for key, entry in value.items()}
        case list() | tuple():
            return [plain(entry) for entry in value]
        case bool() | int() | str() | None:
            return value
        case float():
            return value if abs(value) < float("inf") else str(value)
    return str(value)


ANSWERS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "read": read, "derive": result, "proof": proof, "why": why, "notes": notes, "code": code, "copies": copies,
    "graph": graph, "verify": verified,
}  # fmt: skip
