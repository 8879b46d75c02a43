"""Texts that try to break out: of LaTeX, HTML, typst, Markdown, Python source, a file path, a terminal.

Everything that an author may write down arrives in every format as text, or is refused; and the same input gives the
same bytes, whatever the seed of Python's hashes.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

import symderiv
from symderiv.errors import SymderivError
from symderiv.handout.build import build, read_and_decide
from symderiv.render.document import render
from symderiv.testing import inert
from symderiv.testing.texts import ALL_NAMES, KEYWORDS, PAYLOADS

SHOWN = [p for p in PAYLOADS if p.isprintable() and p.isascii()]
CONTROL = [p for p in PAYLOADS if not (p.isprintable() and p.isascii())]


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


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return document(tmp_path_factory.mktemp("hostile"), SHOWN)


def test_all_of_it_is_shown(built):
    assert len(built.records) == 2 * len(SHOWN)
    assert {r.status for r in built.records} <= {"proved", "approximation"}
    labels = [json.dumps(r.label) for r in built.records]
    assert all(any(json.dumps(s.strip()) == label for label in labels) for s in SHOWN if s.strip())


def test_tex(built):
    assert inert.latex(str(render(built.document, "tex")), document=True) == ""


def test_html(built):
    text = str(render(built.document, "html"))
    assert inert.html(text) == ""
    assert "alert(1)" in text


def test_markdown(tmp_path):
    """Prose is the author's own Markdown and stays as it was written; all else is text."""
    text = str(render(document(tmp_path, SHOWN, with_prose=False).document, "md"))
    reader = MarkdownIt("commonmark").use(dollarmath_plugin)  # as those who show mathematics read it
    assert inert.html(reader.render(text)) == ""


def test_typst(built):
    text = str(render(built.document, "typ"))
    assert inert.typst(text) == ""
    assert "#eval(1)" in text


def test_python(built):
    assert inert.python(built.code) == ""
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


@pytest.mark.parametrize("name", ALL_NAMES + KEYWORDS)
def test_names_that_mean_something_elsewhere(name):
    """As the name of an array each is refused, or comes out in LaTeX and Python as that name and nothing else."""
    try:
        d = symderiv.derive(f"{name} @ {name}", name, shapes={name: ("n",)})
    except SymderivError:
        return
    assert inert.latex(d.to_latex()) == ""
    (function,) = [f for f in ast.parse(d.to_numpy()).body if isinstance(f, ast.FunctionDef)]
    assert [a.arg for a in function.args.args] == [name]
    assert d.compile()(**{name: [1.0, 2.0]}).tolist() == [2.0, 4.0]


def test_the_same_bytes_whatever_the_hashes():
    script = Path(__file__).with_name("every_output.py")
    runs = [
        subprocess.Popen(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(script.parents[1])},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for seed in ("1", "4242")
    ]  # fmt: skip
    (one, said), (two, _) = [run.communicate() for run in runs]
    assert runs[0].returncode == runs[1].returncode == 0, said.decode()
    assert len(one) > 100_000
    assert one == two
