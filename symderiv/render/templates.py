"""Filling templates: somebody's own before the built-in ones, file by file, in Jinja2's sandbox.

A template sees finished strings and nothing that reaches beyond them. One's own may build on the built-in one of the
same name: ``<% extends "symderiv/document.tex" %>``.
"""

from __future__ import annotations

import base64
import traceback
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from symderiv.errors import ParseError, Place, SymderivError, UnsupportedError
from symderiv.render.phrases import FOLDER

BUILT_IN = "symderiv"
FONT = "math.woff2"


def checked_folder(templates: Path) -> Path:
    """Return a folder of templates; refuse one in which nothing has the name of a template."""
    if not templates.is_dir():
        raise UnsupportedError(f"there is no folder {templates}", hint="--templates names a folder of templates")
    known = names()
    if not any((templates / name).is_file() for name in known) and not (templates / FOLDER).is_dir():
        raise UnsupportedError(
            f"no file in {templates} has the name of a template",
            hint=f"known are {', '.join(known)}, and the folder {FOLDER}",
        )
    return templates


def names() -> list[str]:
    """Return the names of the built-in templates and what belongs to them."""
    return sorted(path.name for path in own_folder().iterdir() if path.is_file() and path.suffix != ".txt")


def fill(name: str, view: dict[str, Any], templates: Path | None = None) -> str:
    """Return a filled template, with at most one empty line at a time and one line end at the end.

    What is wrong in somebody's own template is a :class:`SymderivError` with its file and line.
    """
    try:
        text = _environment(templates).get_template(name).render(view)
    except Exception as err:
        if templates is None:
            raise
        raise _explained(err, name, templates) from None
    return _without_blank_runs(text)


def _explained(err: Exception, name: str, templates: Path) -> SymderivError:
    """Return the error of a template as one that shows its place."""
    file, line = _place_of(err, templates)
    said = f"there is no template {err}" if isinstance(err, TemplateNotFound) else str(err) or type(err).__name__
    if file is None:
        return ParseError(f"the template {name} cannot be filled: {said}")
    text = file.read_text(encoding="utf-8", errors="replace")
    hint = "the built-in templates show which names there are" if "undefined" in said else ""
    return ParseError(said, place=Place(text, line=line, source=str(file)), hint=hint)


def _place_of(err: Exception, templates: Path) -> tuple[Path | None, int]:
    """Return the file and the line of somebody's template in which an error arose."""
    if isinstance(err, TemplateSyntaxError) and err.filename:
        return Path(err.filename), err.lineno
    for frame in reversed(traceback.extract_tb(err.__traceback__)):
        if Path(frame.filename).is_relative_to(templates) and Path(frame.filename).is_file():
            return Path(frame.filename), frame.lineno or 1
    return None, 1


def _without_blank_runs(text: str) -> str:
    """At most one empty line at a time, and none at the end: what templates leave behind."""
    kept: list[str] = []
    for line in text.split("\n"):
        line = line.rstrip()
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).rstrip("\n") + "\n"


@cache
def _environment(templates: Path | None) -> ImmutableSandboxedEnvironment:
    own = FileSystemLoader(own_folder())
    folders = [FileSystemLoader(templates)] if templates is not None else []
    return ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*folders, own, PrefixLoader({BUILT_IN: own})]),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the writers have escaped everything for their format
    )


@cache
def own_folder() -> Path:
    """The built-in templates: the folder in the wheel, or that of the checkout."""
    installed = Path(str(files("symderiv") / "templates"))
    return installed if installed.is_dir() else installed.parent.parent / "templates"


def math_font(templates: Path | None) -> str:
    """The font of mathematics on the pages, as text: somebody's own, or the built-in one."""
    other = templates / FONT if templates is not None else None
    return _encoded(other if other is not None and other.is_file() else own_folder() / FONT)


@cache
def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
