"""A function, an operation, a rule, a language and a template of somebody else's, from outside of the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import symderiv

MODULE = '''
from pathlib import Path

import symderiv
from symderiv.render.phrases import add_language


def twice(expr, context):
    """`f f = f²` is left alone: this rule fits nowhere."""
    return None


def extend():
    latex = r"\\operatorname{bump}"
    symderiv.add_function(symderiv.Function("bump", "-2 * u * f", latex, "np.exp(-({0})**2)", formula="exp(-(u**2))"))
    symderiv.add_operation("gram(A)[i, j] = sum[q](A[q, i] * A[q, j])")
    symderiv.add_rule("twice", twice)
    add_language(Path(__file__).parent / "fr.toml")
'''
HANDOUT = """---
title: Notes
language: fr
---
```symderiv
X: (m, n)
f = trace(gram(bump(X)))
assert diff(f, X) == -4 * bump(X)**2 * X, "G"
```
"""
TEMPLATE = r"""<% extends "symderiv/document.tex" %>
<% block preamble %>
\usepackage{ours}
<% endblock %>
"""
RUN = """
import symderiv
from symderiv.index.rules import RULES
from symderiv.cli import main
symderiv.load_extensions()
assert "twice" in RULES
main(prog_name="symderiv")
"""


def test_a_package_brings_all_five(tmp_path: Path):
    installed, work = tmp_path / "site", tmp_path / "work"
    info = installed / "ours-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[symderiv.extensions]\nours = ours:extend\n")
    (installed / "ours.py").write_text(MODULE, encoding="utf-8")
    (installed / "fr.toml").write_text("claim = 'Énoncé'\nproof = 'Démonstration'\n", encoding="utf-8")
    (work / "own").mkdir(parents=True)
    (work / "own" / "document.tex").write_text(TEMPLATE)
    (work / "notes.md").write_text(HANDOUT)
    path = os.pathsep.join([str(installed), str(Path(symderiv.__file__).parents[1])])
    command = [sys.executable, "-c", RUN, "handout", "notes.md", "--format", "tex,py", "--templates", "own"]
    done = subprocess.run(
        command, cwd=work, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert "1 claim (1 proved), all as expected" in done.stdout
    tex = (work / "output" / "notes.tex").read_text(encoding="utf-8")
    assert r"\usepackage{ours}" in tex and "Énoncé" in tex and r"\operatorname{bump}" in tex
    assert "np.exp(-(" in (work / "output" / "notes.py").read_text()
