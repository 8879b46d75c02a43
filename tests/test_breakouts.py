"""Texts that try to break out: of LaTeX, HTML, typst, Markdown, Python source, a file path, a terminal.

Everything that an author may write down arrives in every format as text, or is refused; and the same input gives the
same bytes, whatever the seed of Python's hashes.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

import symderiv
from symderiv.errors import SymderivError
from symderiv.handout.build import build, read_and_decide
from symderiv.render.document import render
from symderiv.testing.texts import KEYWORDS, PAYLOADS, PLAIN_NAMES

SHOWN = [p for p in PAYLOADS if p.isprintable() and p.isascii()]
CONTROL = [p for p in PAYLOADS if not (p.isprintable() and p.isascii())]

# Control words that only harm can have brought in: none is in a document of ours.
HARMFUL = r"\\(?:input|include|write18|write|immediate|openin|openout|read|csname|catcode|def|usepackage)(?![A-Za-z])"
TYPST = r"#(?:eval|read|include|plugin)\b"


def document(tmp_path: Path, said: list[str], with_prose: bool = True):
    """A handout that has each text in its title, author, table of names, prose, mathematics, labels and reasons."""
    quoted = json.dumps(" ".join(said))
    head = f"---\ntitle: {quoted}\nauthor: {quoted}\ndisplay:\n  x: {quoted}\n---\n"
    prose = "\n\n".join(f"# {s}\n\nA text with {s} in it, *{s}*, `{s}` and ${s}$, [{s}](x{s})." for s in said)
    claims = [f"assert x + x == 2 * x, {s!r}" for s in said]
    reasons = [f"with neglecting(c, because={s!r}):\n    assert x + c == x, {s!r}" for s in said]
    text = (
        f"{head}{prose if with_prose else ''}\n\n# Claims\n\n```symderiv\nx: ()\nc: ()\n"
        + "\n".join([*claims, *reasons])
        + "\n```\n"
    )
    path = tmp_path / "notes.md"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return read_and_decide(path)


class Tags(HTMLParser):
    """What a browser would make of a page: tags, attributes, addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    @property
    def harm(self) -> list[str]:
        return [
            f"{tag} {attrs}"
            for tag, attrs in self.tags
            if tag in ("script", "iframe", "img", "object", "embed", "base", "form")
            or any(name.startswith("on") for name in attrs)
            or (attrs.get("href") or "").lower().startswith(("javascript:", "data:", "file:"))
        ]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return document(tmp_path_factory.mktemp("hostile"), SHOWN)


def test_all_of_it_is_shown(built):
    assert len(built.records) == 2 * len(SHOWN)
    assert {r.status for r in built.records} <= {"proved", "approximation"}
    labels = [json.dumps(r.label) for r in built.records]
    assert all(any(json.dumps(s.strip()) == label for label in labels) for s in SHOWN if s.strip())


def test_tex(built):
    text = str(render(built.document, "tex"))
    body = text[text.index(r"\begin{document}") :]
    inert = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", body, flags=re.DOTALL)
    assert re.findall(HARMFUL, inert) == []
    assert inert.count(r"\end{document}") == 1
    assert inert.rstrip().endswith(r"\end{document}")


def test_html(built):
    text = str(render(built.document, "html"))
    assert Tags(text).harm == []
    assert "alert(1)" in text


def test_markdown(tmp_path):
    """Prose is the author's own Markdown and stays as it was written; all else is text."""
    text = str(render(document(tmp_path, SHOWN, with_prose=False).document, "md"))
    reader = MarkdownIt("commonmark").use(dollarmath_plugin)  # as those who show mathematics read it
    assert Tags(reader.render(text)).harm == []


def test_typst(built):
    text = str(render(built.document, "typ"))
    outside = re.sub(r'"[^"]*"', '""', re.sub(r"\\.", "", text))  # neither escaped nor in quotation marks
    assert re.findall(TYPST, outside) == []
    assert "#eval(1)" in text


def test_python(built):
    tree = ast.parse(built.code)
    assert " ".join(SHOWN) in (ast.get_docstring(tree, clean=False) or "")
    assert {type(node) for node in tree.body} <= {ast.Expr, ast.Import, ast.FunctionDef}


def shows(text: str) -> bool:
    return all(c.isprintable() or c in "\n\t\N{NO-BREAK SPACE}" for c in text)


@pytest.mark.parametrize("said", CONTROL, ids=ascii)
def test_what_does_not_show_is_refused_or_left_out(said, tmp_path):
    try:
        found = document(tmp_path, [f"a{said}b"])
        labels = document(tmp_path, [f"a{said}b"], with_prose=False)
    except SymderivError as err:
        assert shows(str(err))
        return
    assert shows(str(render(found.document, "tex")))
    assert shows(str(render(labels.document, "md")))
    ast.parse(found.code)


def test_what_does_not_show_is_left_out_of_html(tmp_path):
    said = [f"a{c}b" for c in CONTROL if len(c) == 1 and c not in "\n\r\0" and not c.isspace() and c != "\ud800"]
    assert len(said) > 4
    assert shows(str(render(document(tmp_path, said).document, "html")))


@pytest.mark.parametrize("said", ["../x", "/tmp/x", "..", "a/b", "a\\b", "\0", "x\n", *KEYWORDS, *SHOWN])
def test_nothing_is_written_beside_its_folder(said, tmp_path):
    with pytest.raises(SymderivError):
        symderiv.generate("sum(x**2)", "x", shapes={"x": ("n",)}, name=said)


def test_documents_are_called_as_their_sources(tmp_path):
    source = tmp_path / "a b;$(id)`.md"
    source.write_text('---\ntitle: "../../x"\n---\n', encoding="utf-8")
    build([source], tmp_path / "out", ["tex", "md", "py"])
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"a b;$(id)`.{e}" for e in ("md", "py", "tex")]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a b;$(id)`.md", "out"]


@pytest.mark.parametrize("name", PLAIN_NAMES + KEYWORDS)
def test_names_that_mean_something_elsewhere(name):
    """As the name of an array each is refused, or comes out in LaTeX and Python as that name and nothing else."""
    try:
        d = symderiv.derive(f"{name} @ {name}", name, shapes={name: ("n",)})
    except SymderivError:
        return
    assert re.findall(HARMFUL, d.to_latex()) == []
    (function,) = [f for f in ast.parse(d.to_numpy()).body if isinstance(f, ast.FunctionDef)]
    assert [a.arg for a in function.args.args] == [name]
    assert d.compile()(**{name: [1.0, 2.0]}).tolist() == [2.0, 4.0]


SAME = """
import sys, symderiv
from pathlib import Path
from symderiv.handout.build import read_and_decide, rendered
d = symderiv.derive("logdet(A @ A.T + c * eye(n)) + sum(softplus(B @ x) * y) + norm(x - y)**2", "x",
    shapes={"A": ("n", "n"), "B": ("n", "n"), "x": ("n",), "y": ("n",), "c": ()})
print(d.result, d.to_latex(), d.proof.to_latex(), d.to_numpy(value=True), d.index_form)
g = symderiv.gradients("norm(W @ tanh(V @ x + b) - y)**2 + sum(W**2) + sum(V**2)", ["W", "V", "b"], shapes={
    "W": ("k", "h"), "V": ("h", "d"), "b": ("h",), "x": ("d",), "y": ("k",)})
print(g.statements(), g.to_numpy(), g.proof.to_latex())
built = read_and_decide(Path(sys.argv[1]))
for name in ("tex", "md", "py"):
    print(rendered(built, name).decode())
for text in ("X @ q", "sum(zeta + eta)", "f(x"):
    try:
        symderiv.derive(text, "q", shapes={"X": ("n", "p"), "w": ("p",), "zetas": (), "etas": ()})
    except symderiv.SymderivError as err:
        print(err)
v = symderiv.verify("x @ A @ x", "x", "2 * A @ x", shapes={"x": ("n",), "A": ("n", "n")})
print(v)
"""


def test_the_same_bytes_whatever_the_hashes(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(
        "# One\n\n```symderiv\nD: (m, n)\nW: (n, p)\nloss: function()\nA = D @ W\nE = loss(A)\nB = diff(E, A)\n"
        'assert diff(E, W) == D.T @ B, "L2"\nassert not (diff(E, W) == D @ B)\ncode(diff(E, W))\n```\n',
        encoding="utf-8",
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SAME, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for seed in ("1", "4242")
    ]  # fmt: skip
    (one, said), (two, _) = [run.communicate() for run in runs]
    assert runs[0].returncode == runs[1].returncode == 0, said.decode()
    assert len(one) > 5000
    assert one == two
