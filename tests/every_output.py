"""Prints what symderiv writes, of every kind: run with different seeds of Python's hashes, the bytes are the same."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import symderiv
from symderiv.handout.build import pictures, read_and_decide, rendered
from symderiv.web.answers import ASKED, answer

SHAPES = {"A": ("n", "n"), "B": ("n", "n"), "x": ("n",), "y": ("n",), "c": ()}
NET = "norm(W @ tanh(V @ x + b) - y)**2 + sum(W**2) + sum(V**2)"
LAYERS = {"W": ("k", "h"), "V": ("h", "d"), "b": ("h",), "x": ("d",), "y": ("k",)}
LAYER = "D: (m, n)\nW: (n, p)\nloss: function()\nA = D @ W\nE = loss(A)\nB = diff(E, A)\n"
CLAIMS = 'assert diff(E, W) == D.T @ B, "L2"\nassert not (diff(E, W) == D @ B)\ncode(diff(E, W))\n'
CHAIN = r"\frac{\partial E}{\partial W} = D^\top B = B D^\top = \sum_{i} D_{ik} B_{il}"
QUESTION = {
    "expr": "sum(exp(A @ x)) + c * x @ y", "wrt": ["x"], "shapes": {"A": "(n, n)", "c": "()"}, "claim": "c * y",
    "text": "x: (n,)\nassert diff(x @ x, x) == x", "language": "de",
}  # fmt: skip


def derivatives() -> None:
    """Print results, proofs, code and pictures."""
    d = symderiv.derive("logdet(A @ A.T + c * eye(n)) + sum(softplus(B @ x) * y) + norm(x - y)**2", "x", shapes=SHAPES)
    print(d.result, d.to_latex(), d.index_form, d.statements(), d.to_numpy(value=True), d.explain())
    print(d.proof, d.proof.to_latex(), d.proof.to_json(), d.diagram().svg(), d.diagram().tikz())
    print(symderiv.derive("norm(B @ x - y)**2", "x", shapes=SHAPES).proof.to_coq())
    print(symderiv.verify("x @ A @ x", "x", "2 * A @ x", shapes=SHAPES))
    g = symderiv.gradients(NET, ["W", "V", "b"], shapes=LAYERS)
    print(g.statements(), g.to_numpy(), g.proof.to_latex(), g.proof.to_json(), g.diagram().svg())
    print(symderiv.hvp(NET, "V", direction="R", shapes=LAYERS).to_numpy())
    made = symderiv.generate(NET, ["W", "V", "b"], shapes=LAYERS, second=("hvp", "hessian"), flat=True)
    print(made.module, made.tests)


def documents() -> None:
    """Print a handout, a sheet, a derivation that was marked."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "notes.md"
        path.write_text(f"# One\n\n```symderiv\n{LAYER}{CLAIMS}```\n\n```symderiv-diagram\n```\n", encoding="utf-8")
        built = read_and_decide(path)
    print(*(rendered(built, name).decode() for name in ("tex", "md", "py")), pictures(built))
    if find_spec("pypandoc") and find_spec("typst"):
        print(rendered(built, "html").decode(), rendered(built, "pdf"))
    print([record.as_json() for record in built.records])
    sheet = symderiv.Sheet(LAYER + CLAIMS)
    print(sheet, sheet.to_json("L2"), sheet.to_coq("L2"), sheet.diagram().tikz())
    print(symderiv.homework(CHAIN, LAYER))


def errors() -> None:
    """Print what is said of names that are not there."""
    for text in ("X @ q", "sum(zeta + eta)", "f(x"):
        try:
            symderiv.derive(text, "q", shapes={"X": ("n", "p"), "w": ("p",), "zetas": (), "etas": ()})
        except symderiv.SymderivError as err:
            print(err)


def answers() -> None:
    """Print what the page is told."""
    for kind in ASKED:
        print(json.dumps(answer({"ask": kind, "name": "power", **QUESTION})))


if __name__ == "__main__":
    derivatives()
    documents()
    errors()
    answers()
