"""The picture in each format: SVG that browsers show, TikZ that pdflatex sets, Typst."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from diagram_cases import NAMES, diagrams

import symderiv
from symderiv.diagrams import Diagram
from symderiv.diagrams.graph import Graph, Node
from symderiv.diagrams.line import plain, shown

pytest.importorskip("pygraphviz", reason="pygraphviz comes with the extra symderiv[diagram]")

SVG = "{http://www.w3.org/2000/svg}"


def has_tikz() -> bool:
    found = shutil.which("kpsewhich") and shutil.which("pdflatex")
    return bool(found) and bool(subprocess.run(["kpsewhich", "tikz.sty"], capture_output=True).stdout.strip())


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_xml_with_every_label_as_text(name: str) -> None:
    d = diagrams()[name]
    root = ElementTree.fromstring(d.svg())
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    labels = [n.label for n in d.graph.nodes]
    labels += [line for e in d.graph.edges for line in ((e.shape, *e.back) if e.shape else ())]
    assert sorted(texts) == sorted(plain(shown(label)) for label in labels)


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_told_in_words(name: str) -> None:
    d = diagrams()[name]
    title, description = (ElementTree.fromstring(d.svg()).findtext(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert title == d.title and description == d.description
    assert all(node.text in str(description) for node in d.graph.nodes)
    titles = [g.findtext(f"{SVG}title") for g in ElementTree.fromstring(d.svg()).iter(f"{SVG}g")]
    assert [t for t in titles if t] == [node.text for node in d.graph.nodes]


def test_svg_loads_nothing_and_has_no_names_that_could_meet_others() -> None:
    text = diagrams()["layer"].svg()
    assert "url(" not in text and "href" not in text and " id=" not in text
    assert text.count("http") == 1  # the namespace


def test_markup_in_a_label_stays_a_label() -> None:
    d = Diagram(Graph("f", (Node("x", "variable", "</text><script>", "</title><b>&"),), ()))
    assert not list(ElementTree.fromstring(d.svg()).iter(f"{SVG}script"))
    wild = Diagram(Graph("f", (Node("x", "variable", r"\input{secret}", "x"),), ()))
    assert r"\input" not in wild.tikz()


def test_notebooks_show_the_picture() -> None:
    d = symderiv.derive("x @ x", "x", shapes={"x": ("n",)}).diagram()
    assert d._repr_svg_() == d.svg()


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_captions(language: str) -> None:
    d = Diagram(diagrams()["recurrent"].graph, language)
    assert "$L$" in d.caption and "$t$" in d.caption and "L" in d.title
    assert "$t$" not in Diagram(diagrams()["layer"].graph, language).caption
    assert (
        r"$\partial^{+}$" in d.caption and r"\partial^{+}" not in Diagram(diagrams()["layer"].graph, language).caption
    )
    without = symderiv.Sheet("x: (n,)\ny = 2 * x").diagram()
    assert Diagram(without.graph, language).caption != Diagram(diagrams()["layer"].graph, language).caption


# -- programs


@pytest.mark.skipif(not has_tikz(), reason="pdflatex with the package tikz is not installed")
def test_pdflatex_sets_every_picture(tmp_path: Path) -> None:
    body = "\n\\newpage\n".join(d.tikz() for d in diagrams().values())
    head = r"\documentclass{article}\usepackage{amsmath,amssymb,tikz}\begin{document}"
    (tmp_path / "main.tex").write_text(f"{head}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout.decode("utf-8", "replace")[-2000:]
    assert f"({len(diagrams())} pages" in run.stdout.decode("utf-8", "replace")


def test_typst_sets_every_picture(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst", reason="typst comes with the extra symderiv[handout]")
    pytest.importorskip("pypandoc", reason="pandoc comes with the extra symderiv[handout]")
    names = ["many uses", "layer", "tanh"]
    page = "#set page(width: {width}pt, height: {height}pt, margin: 0pt)\n"
    parts = []
    for d in (diagrams()[name] for name in names):
        parts.append(page.format(width=d.placed.width + 1, height=d.placed.height + 1) + d.typst())
    main = tmp_path / "main.typ"
    main.write_text("\n#pagebreak()\n".join(parts), encoding="utf-8")
    made = typst.compile(str(main), format="svg")
    assert isinstance(made, list) and len(made) == len(names)  # each on its page: none is larger than it says


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MEASURE = """
<script>
const found = [];
for (const svg of document.querySelectorAll("svg")) {
  const page = svg.viewBox.baseVal;
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBBox(), rect = text.parentNode.querySelector("rect");
    const room = rect ? rect.getBBox() : page;
    const fits = box.x >= room.x && box.y >= room.y && box.x + box.width <= room.x + room.width
      && box.y + box.height <= room.y + room.height;
    if (!fits || box.width < 1) found.push(text.textContent);
  }
}
document.body.innerHTML = "<pre>" + JSON.stringify(found) + "</pre>";
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_sets_every_label_within_its_node(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<meta charset=utf-8>" + "".join(d.svg() for d in diagrams().values()) + MEASURE, encoding="utf-8")
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
        f"--user-data-dir={tmp_path}",
    ]
    run = subprocess.run([*command, page.as_uri()], capture_output=True, timeout=60, check=False)
    found = re.search(r"<pre>(.*?)</pre>", run.stdout.decode("utf-8"), re.DOTALL)
    assert found is not None and json.loads(unescape(found[1])) == []
