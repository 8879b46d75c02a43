"""What the static folder is made of; that it runs is shown in a browser, by `make web-test`."""

from __future__ import annotations

import runpy
import zipfile
import zipimport
from pathlib import Path

import pytest

from symderiv.errors import UnsupportedError
from symderiv.web import site


def test_the_static_page_asks_a_worker_and_may_run_python():
    page = site.as_static(b'<html data-engine="server"><head>\n<meta charset="utf-8">\n</head>').decode()
    assert 'data-engine="worker"' in page and 'data-engine="server"' not in page
    assert f'content="{site.POLICY}"' in page
    assert "unsafe-inline" not in site.POLICY and "http" not in site.POLICY


@pytest.mark.parametrize(
    ("library", "part", "loaded", "taken"),
    [
        ("sympy", "core/add.py", {"sympy", "sympy.core"}, True),
        ("sympy", "stats/rv.py", {"sympy", "sympy.core"}, False),
        ("rich", "cells.py", {"rich", "rich.cells"}, True),
        ("rich", "live.py", {"rich"}, False),
        ("rich", "__init__.py", {"rich"}, True),
        ("lark", "grammars/python.lark", {"lark"}, True),
    ],
)
def test_of_a_library_only_what_is_in_use_is_taken(library, part, loaded, taken):
    assert site.wanted(library, Path(part), loaded) == taken


def test_tests_and_caches_are_left_out(tmp_path):
    source, target = tmp_path / "a", tmp_path / "b"
    for name in ("m.py", "tests/t.py", "__pycache__/m.pyc", "data.toml", "font.woff2", "sub/n.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("")
    site.copy(source, target, lambda part: True)
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*.*")) == ["data.toml", "m.py", "sub/n.py"]


def test_python_s_own_library_is_compiled_too(tmp_path):
    """It comes as source; compiling it at every start took a browser longer than all the rest."""
    script = Path(site.__file__).parent / "runtime" / "compile.py"
    with zipfile.ZipFile(tmp_path / "stdlib.zip", "w") as archive:
        archive.writestr("package/module.py", '"""Words."""\nassert False\nfound = 3\n')
        archive.writestr("package/data.txt", "data")
    (tmp_path / "sources" / "own" / "symderiv").mkdir(parents=True)
    (tmp_path / "sources" / "own" / "symderiv" / "rule.py").write_text('"""A rule."""\n')
    (tmp_path / "target").mkdir()
    places = [str(tmp_path / name) for name in ("sources", "target", "stdlib.zip")]
    runpy.run_path(str(script))["build"](*places)
    with zipfile.ZipFile(tmp_path / "target" / "stdlib.zip") as archive:
        assert sorted(archive.namelist()) == ["package/data.txt", "package/module.pyc"]
    library = zipimport.zipimporter(str(tmp_path / "target" / "stdlib.zip") + "/package").get_code("module")
    own = zipimport.zipimporter(str(tmp_path / "target" / "own.zip") + "/symderiv").get_code("rule")
    assert "Words." not in library.co_consts
    assert "A rule." in own.co_consts  # rules are told from their docstrings


def test_without_node_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(site.shutil, "which", lambda name: None)
    with pytest.raises(UnsupportedError, match="node"):
        site.build(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_program_says_is_passed_on(tmp_path):
    with pytest.raises(UnsupportedError) as caught:
        site.ran(["python3", "-c", "raise SystemExit('no such thing')"], tmp_path, "it did not work")
    assert caught.value.message == "it did not work" and "no such thing" in caught.value.hint


def test_files_are_put_in_one_piece_and_others_left_alone(tmp_path):
    made, output = tmp_path / "made", tmp_path / "out"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "a.txt").write_text("new")
    (output / "sub").mkdir(parents=True)
    (output / "sub" / "a.txt").write_text("old")
    (output / "mine.txt").write_text("mine")
    site.put(made, output)
    assert (output / "sub" / "a.txt").read_text() == "new"
    assert (output / "mine.txt").read_text() == "mine"
    assert list(output.rglob("*.part")) == []
