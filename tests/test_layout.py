"""The shape of the house: who may import whom, what lies where, and what is never called.

Everything is read from the source with ``ast``; nothing is imported. An import counts wherever it stands: at
the top of a module, inside a function, or under ``if TYPE_CHECKING:``.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "symderiv"

# A module imports only from its own folder and from what stands above it here.
LAYERS = (
    "errors",
    "aside",
    "trees",
    "dims",
    "pickled",
    "functions",
    "index",
    "tensor",
    "numpy_names",
    "lower",
    "planner",
    "columns",
    "operands",
    "squares",
    "factoring",
    "collecting",
    "lift",
    "shorten",
    "facing",
    "interop",
    "chain",
    "structured",
    "stage",
    "adjoints",
    "tangents",
    "replay",
    "families",
    "latex",
    "statements",
    "claims",
    "windows",
    "check",
    "certifying",
    "code",
    "render",
    "diagrams",
    "inputs",
    "conventions",
    "ending",
    "results",
    "extending",
    "shown",
    "found",
    "batched",
    "factors",
    "derivation",
    "joint",
    "packing",
    "several",
    "curvature",
    "generating",
    "verdict",
    "unrolling",
    "running",
    "tables",
    "sheet",
    "marking",
    "handout",
    "sheets",
    "notebook",
    "reference",
    "testing",
    "web",
    "cli",
    "__main__",
)

# The package itself stands for everything it offers, so only what comes last may import from it.
MAY_IMPORT_THE_PACKAGE = {"cli", "__main__"}

# Checks are worth something because they share no code with what they check.
CHECK_MAY_IMPORT = (
    "errors",
    "dims",
    "trees",
    "functions",
    "check",
    "index.nodes",
    "tensor.expr",
    "tensor.operations",
    "tensor.parse",
)
CHECK_MUST_NOT_IMPORT = ("chain", "replay", "lift", "lower", "planner", "index.normal", "index.rules")

NEVER_CALLED = {"eval", "sympify", "parse_expr", "lambdify"}

Imports = dict[str, set[str]]
Build = Callable[[dict[str, str]], Imports]


# --- reading the source ------------------------------------------------------------------------


def modules_under(root: Path) -> dict[str, Path]:
    """Return every module of the package below ``root``, dotted name → file."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_names(tree: ast.AST, module: str, is_folder: bool, known: set[str]) -> Iterator[str]:
    """Yield the modules of the package that ``module`` imports, as full dotted names.

    ``from a import b`` is an import of ``a.b`` where that is a module, and otherwise of ``a``.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                here = parts[: len(parts) - node.level + is_folder]
                base = ".".join([*here, base] if base else here)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in known else base
        elif (
            isinstance(node, ast.Call)
            and called_name(node) in {"import_module", "__import__"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def imports_of_package(root: Path) -> Imports:
    """Return module → the modules of the package that it imports."""
    modules = modules_under(root)
    known = set(modules)
    return {
        module: {
            name
            for name in imported_names(parse(path), module, path.name == "__init__.py", known)
            if (name == PACKAGE or name.startswith(PACKAGE + ".")) and name != module
        }
        for module, path in modules.items()
    }


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def called_name(call: ast.Call) -> str | None:
    """Return the last name of what is called: ``f`` of ``f(x)`` and of ``a.f(x)``."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


# --- the rules ---------------------------------------------------------------------------------


def layer_of(module: str) -> str:
    """Return the second part of a dotted name, or the empty string for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def within(module: str, places: tuple[str, ...]) -> bool:
    """Tell whether a module is one of ``places`` (named without the package) or lies inside one."""
    return any(f"{module}.".startswith(f"{PACKAGE}.{place}.") for place in places)


def unlisted(imports: Imports) -> list[str]:
    """Return the modules that have no place in the list."""
    return [module for module in imports if module != PACKAGE and layer_of(module) not in LAYERS]


def downward_imports(imports: Imports) -> list[str]:
    """Return the imports that do not run upwards in the list of layers."""
    wrong = []
    for module, names in imports.items():
        if module == PACKAGE or layer_of(module) not in LAYERS:
            continue
        own = layer_of(module)
        above = LAYERS[: LAYERS.index(own) + 1]
        for name in sorted(names):
            allowed = own in MAY_IMPORT_THE_PACKAGE if name == PACKAGE else layer_of(name) in above
            if not allowed:
                wrong.append(f"{module} imports {name}")
    return wrong


def circles(imports: Imports) -> list[str]:
    """Return one line for each group of modules that import each other, the package itself left aside."""
    graph = {module: {n for n in names if n in imports} for module, names in imports.items()}
    graph.pop(PACKAGE, None)
    reached = {module: reachable(graph, module) for module in graph}
    groups = {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in graph
        if module in reached[module]
    }
    return [" <-> ".join(sorted(group)) for group in sorted(groups, key=sorted)]


def reachable(graph: Imports, start: str) -> set[str]:
    """Return what can be reached from ``start`` in one step or more."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph.get(waiting.pop(), set()) - seen:
            seen.add(name)
            waiting.append(name)
    return seen


def check_imports(imports: Imports) -> list[tuple[str, str]]:
    """Return (module, imported) for everything under ``check``."""
    return [(module, name) for module, names in imports.items() if within(module, ("check",)) for name in sorted(names)]


def evaluations(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield (name, line) wherever text could become code: calls, and imports of the functions by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called_name(node)
            # SymPy's own classes have a method `eval`, which is something else.
            if name is not None and (name not in {"eval", "exec"} or is_builtin(node.func)):
                yield name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.name, node.lineno) for alias in node.names)


def is_builtin(function: ast.expr) -> bool:
    """Tell whether a function is called by its bare name, or as a member of ``builtins``."""
    match function:
        case ast.Name() | ast.Attribute(value=ast.Name(id="builtins" | "__builtins__")):
            return True
    return False


# --- the package -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def imports() -> Imports:
    return imports_of_package(ROOT)


def test_every_module_has_its_place(imports: Imports) -> None:
    assert len(imports) > 1
    assert unlisted(imports) == []


def test_imports_run_upwards(imports: Imports) -> None:
    assert downward_imports(imports) == []


def test_no_circles(imports: Imports) -> None:
    assert circles(imports) == []


def test_checks_share_no_code_with_the_engine(imports: Imports) -> None:
    assert [
        f"{module} imports {name}" for module, name in check_imports(imports) if within(name, CHECK_MUST_NOT_IMPORT)
    ] == []


def test_checks_know_the_nodes_and_nothing_else(imports: Imports) -> None:
    assert [
        f"{module} imports {name}" for module, name in check_imports(imports) if not within(name, CHECK_MAY_IMPORT)
    ] == []


def test_text_is_never_evaluated() -> None:
    found = {
        (module, name, line) for module, path in modules_under(ROOT).items() for name, line in evaluations(parse(path))
    }
    assert sorted(entry for entry in found if entry[1] in NEVER_CALLED) == []
    # Generated code is compiled in one place.
    assert len([entry for entry in found if entry[1] == "exec"]) <= 1


# --- the repository ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Makefile",
        f"{PACKAGE}/__init__.py",
        f"{PACKAGE}/py.typed",
        f"{PACKAGE}/handout/builtin",
        "templates",
        "tests",
        "output",
    ],
)
def test_top_level_layout(name: str) -> None:
    assert (ROOT / name).exists()


def files_of_repository() -> list[Path]:
    """Return what is, or would be, in version control; outside a checkout, what a source archive holds."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        listing = ""
    paths = {ROOT / name for name in listing.split("\0")}
    if Path(__file__).resolve() not in paths:
        paths = {
            *ROOT.glob("*"),
            *(p for top in (PACKAGE, "templates", "tests") for p in (ROOT / top).rglob("*")),
        }
    return sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def test_no_file_names_a_place_on_one_machine() -> None:
    # Put together here, so that this file holds none of them.
    places = [f"/{name}/".encode() for name in ("work", "root", "home")] + [b"shared" + b"/"]
    assert [
        f"{path.relative_to(ROOT)}: {place.decode()}"
        for path in files_of_repository()
        for place in places
        if place in path.read_bytes()
    ] == []


# --- planted violations are found --------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Build:
    """Build a small package from dotted names and sources, and return its imports."""

    def build(sources: dict[str, str]) -> Imports:
        for name, source in {"__init__": "", **sources}.items():
            path = tmp_path / PACKAGE / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        return imports_of_package(tmp_path)

    return build


GOOD = {
    "__init__": "from .chain import d\nfrom .cli import main",
    "errors": "",
    "dims": "from .errors import E",
    "index/__init__": "from .nodes import N\nfrom . import rules",
    "index/nodes": "from ..dims import D\nimport sympy, typing",
    "index/rules": "from . import nodes",
    "chain": "import symderiv.index.rules\nfrom symderiv.index import N, nodes",
    "check/kernel": "from symderiv.index.nodes import N\nfrom ..index import nodes\nfrom ..errors import E",
    "cli": "from symderiv import __version__",
}


def test_a_good_house_passes(house: Build) -> None:
    found = house(GOOD)
    assert found["symderiv.index"] == {"symderiv.index.nodes", "symderiv.index.rules"}
    assert found["symderiv.index.rules"] == {"symderiv.index.nodes"}
    assert found["symderiv.chain"] == {"symderiv.index", "symderiv.index.nodes", "symderiv.index.rules"}
    assert unlisted(found) == downward_imports(found) == circles(found) == []
    assert all(within(name, CHECK_MAY_IMPORT) for _, name in check_imports(found))


@pytest.mark.parametrize(
    "source",
    [
        "import symderiv.chain",
        "import symderiv.chain as d",
        "from symderiv.chain import d",
        "from symderiv import chain",
        "from ..chain import d",
        "from .. import chain",
        "def f():\n    from ..chain import d",
        "class A:\n    def f(self):\n        import symderiv.chain",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..chain import d",
        "try:\n    from ..chain import d\nexcept ImportError:\n    d = None",
        "import importlib\nd = importlib.import_module('symderiv.chain')",
    ],
)
@pytest.mark.parametrize("module", ["index/nodes", "index/__init__"])
def test_a_downward_import_is_found(house: Build, module: str, source: str) -> None:
    found = downward_imports(house({**GOOD, module: source}))
    assert found == [f"symderiv.{module.replace('/', '.').removesuffix('.__init__')} imports symderiv.chain"]


def test_relative_imports_count_from_the_folder(house: Build) -> None:
    found = house({"index/__init__": "from .. import lift", "index/a": "from .. import lift", "lift": ""})
    assert downward_imports(found) == [
        "symderiv.index imports symderiv.lift",
        "symderiv.index.a imports symderiv.lift",
    ]


def test_the_package_itself_is_no_way_round(house: Build) -> None:
    found = downward_imports(house({**GOOD, "dims": "from symderiv import d"}))
    assert found == ["symderiv.dims imports symderiv"]


def test_a_module_without_a_place_is_found(house: Build) -> None:
    assert unlisted(house({**GOOD, "utils": ""})) == ["symderiv.utils"]


@pytest.mark.parametrize(
    "source", ["from . import rules", "from .rules import r", "def f():\n    import symderiv.index.rules"]
)
def test_a_circle_inside_a_folder_is_found(house: Build, source: str) -> None:
    found = circles(house({**GOOD, "index/nodes": source}))
    assert found == ["symderiv.index.nodes <-> symderiv.index.rules"]


def test_a_circle_through_the_folder_is_found(house: Build) -> None:
    found = circles(house({**GOOD, "index/rules": "from . import N"}))
    assert found == ["symderiv.index <-> symderiv.index.rules"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from ..index.rules import r", "symderiv.index.rules"),
        ("from ..index import rules", "symderiv.index.rules"),
        ("def f():\n    from symderiv import chain", "symderiv.chain"),
    ],
)
def test_a_check_that_leans_on_the_engine_is_found(house: Build, source: str, name: str) -> None:
    found = check_imports(house({**GOOD, "check/kernel": source}))
    assert found == [("symderiv.check.kernel", name)]
    assert within(name, CHECK_MUST_NOT_IMPORT)
    assert not within(name, CHECK_MAY_IMPORT)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("eval('1')", "eval"),
        ("import builtins\nbuiltins.exec('1')", "exec"),
        ("import sympy\nsympy.sympify('x')", "sympify"),
        ("from sympy import lambdify as make", "lambdify"),
        ("from sympy.parsing.sympy_parser import parse_expr", "parse_expr"),
    ],
)
def test_an_evaluation_is_found(source: str, name: str) -> None:
    assert name in {found for found, _ in evaluations(ast.parse(source))}


def test_mentions_are_no_evaluations() -> None:
    source = "\n".join(
        [
            "'eval(x)'  # exec(x)",
            "class F:",
            "    def eval(cls): return cls.eval()",
            "from sympy.core.sympify import _sympify",
        ]
    )
    found = {name for name, _ in evaluations(ast.parse(source))}
    assert not found & (NEVER_CALLED | {"exec"})
