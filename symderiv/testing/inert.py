r"""Is a text inert: does nothing in it do more than be read?

Each function takes a text that was written for a reader of its own and returns what is wrong with it, and nothing where
it is well.  What may stand in a text is listed rather than what is feared, wherever all of it is ours to write.
"""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from symderiv.check.coq.core import CORE

# Control words that only harm can have brought in: none is in a text of ours.
HARMFUL = re.compile(
    r"\\(?:input|include|write18|write|immediate|openin|openout|read|csname|catcode|def|usepackage)(?![A-Za-z])"
)
TYPST = re.compile(r"#(?:eval|read|include|plugin)\b")
NO_TAGS = ("script", "iframe", "img", "object", "embed", "base", "form")
LEADING = ("javascript:", "data:", "file:")
SHAPES = frozenset(("svg", "title", "desc", "style", "rect", "g", "path", "polygon", "text", "tspan", "line"))
MODULES = frozenset({"numpy", "scipy", "pytest", "inspect"})
CALLED = frozenset({"eval", "exec", "compile", "open", "__import__", "getattr", "setattr", "globals", "vars"})
COMMANDS = re.compile(  # of Coq, behind the lemmas of the core; what begins with a small letter is a tactic
    r"Set Default Proof Using|Section |End |Variables? |Definition |Lemma |Theorem |Hypothesis |Proof\b|Qed$"
    r"|Print Assumptions "
)


def latex(text: str, document: bool = False) -> str:
    """Return what is wrong with LaTeX; a document has its end, and that is the end."""
    body = text[text.index(r"\begin{document}") :] if document else text
    bare = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", body, flags=re.DOTALL)
    bare = bare.replace(r"\\", "")
    if found := HARMFUL.search(bare):
        return f"the control word {found.group()}"
    if document and (bare.count(r"\end{document}") != 1 or not bare.rstrip().endswith(r"\end{document}")):
        return "an end that is none"
    return ""


def html(text: str) -> str:
    """Return what is wrong with HTML: what would be run or fetched."""
    reader = _Tags()
    reader.feed(text)
    return reader.fault


class _Tags(HTMLParser):
    """What a browser would make of a page: tags, attributes, addresses."""

    fault = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        acts = any(name.startswith("on") for name, _ in attrs)
        leads = any(name == "href" and (value or "").lower().startswith(LEADING) for name, value in attrs)
        if tag in NO_TAGS or acts or leads:
            self.fault = f"the tag {tag} {dict(attrs)}"


def typst(text: str) -> str:
    """Return what is wrong with Typst: a call that is neither escaped nor in quotation marks."""
    outside = re.sub(r'"[^"]*"', '""', re.sub(r"\\.", "", text))
    found = TYPST.search(outside)
    return f"the call {found.group()}" if found else ""


def svg(text: str) -> str:
    """Return what is wrong with SVG: anything in it but shapes, words and our own style."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as err:
        return f"XML that is none: {err}"
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        if tag not in SHAPES or any(name.startswith("on") or name.endswith("href") for name in element.attrib):
            return f"the element {tag} {element.attrib}"
    return ""


def python(text: str, own: str = "") -> str:
    """Return what is wrong with generated Python: imports, but for its own module, and names that reach beyond it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as err:
        return f"Python that is none: {err}"
    own_names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(a.name.partition(".")[0] not in MODULES for a in names):
                return f"the import {ast.unparse(node)}"
            case ast.ImportFrom(module=name) if name != own and (name or "").partition(".")[0] not in MODULES:
                return f"the import {ast.unparse(node)}"
            case ast.Name(id=name) if name in CALLED and name not in own_names:
                return f"the name {name}"
            case ast.Attribute(attr=name) if name.startswith("__"):
                return f"the attribute {name}"
    return ""


def coq(text: str) -> str:
    """Return what is wrong with a text for Coq: sentences that no certificate has, and what is not ASCII."""
    if not text.isascii():
        return "what is not ASCII"
    bare = re.sub(r"\(\*[^*]*\*\)", "", text.replace(CORE, ""))
    if "(*" in bare or "*)" in bare:
        return "a comment within a comment"
    for sentence in re.split(r"\.(?=\s|$)", bare):
        stripped = sentence.strip()
        if not (stripped[:1].islower() or COMMANDS.match(stripped) or not stripped) or stripped.startswith("admit"):
            return f"the sentence {stripped[:80]}"
    return ""
