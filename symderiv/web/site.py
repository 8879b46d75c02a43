"""The static folder: the same page, with Python in a worker of the browser and no server behind it.

Everything is fetched and compiled when the folder is built: Python for browsers (Pyodide) by npm, SymPy and the other
libraries from where they are installed.  When the page is used, nothing leaves the folder's origin.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import PathFinder
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.web.app import page_files

PYTHON = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
LOCK = "pyodide-lock.json"
DATA = frozenset({".py", ".toml", ".md", ".lark"})
OWN = "symderiv"
LEFT_OUT = ("testing", "cli", "guide")  # of our own package: a page needs none of it
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
MINUTES = 15
NODE = "Node.js 20 or newer, with npm, is needed to build the folder; it is not needed to use it"

Told = Callable[[str], Any]


def build(output: Path, told: Told = lambda _: None) -> dict[str, int]:
    """Write the static page into a folder; return its files with their sizes in bytes."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise UnsupportedError(f"the program {program} is not there", hint=NODE)
    if output.exists() and not output.is_dir():
        raise UnsupportedError(f"{output} is not a folder", hint="name another with -o")
    with TemporaryDirectory() as made:
        scratch = Path(made)
        site = scratch / "site"
        told("fetching Python for browsers")
        runtime = fetched(scratch / "npm")
        told("collecting what it imports")
        collect(scratch / "sources")
        told("compiling")
        (site / "pyodide").mkdir(parents=True)
        compile_all(runtime, scratch / "sources", site / "pyodide")
        for name in PYTHON:
            shutil.copy(runtime / name, site / "pyodide" / name)
        (site / "pyodide" / LOCK).write_text(lock_without_packages(runtime / LOCK), encoding="utf-8")
        shutil.copy(runtime / "package.json", site / "pyodide" / "package.json")
        write_page(site)
        sizes = sizes_of(site)
        (site / "pyodide" / "sizes.json").write_text(json.dumps(sizes, indent=1), encoding="utf-8")
        put(site, output)
    return sizes_of(output)


def fetched(folder: Path) -> Path:
    """Return the folder of Pyodide, which npm has fetched at the locked version."""
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_bytes((files("symderiv.web") / "runtime" / name).read_bytes())
    ran(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, "npm could not fetch Pyodide")
    return folder / "node_modules" / "pyodide"


def ran(command: list[str], folder: Path, what: str) -> str:
    """Run a program to its end; refuse with the last that it said where it fails."""
    program = shutil.which(command[0]) or command[0]
    try:
        done = subprocess.run(
            [program, *command[1:]], cwd=folder, capture_output=True, text=True, timeout=60 * MINUTES, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnsupportedError(what, hint=f"it took more than {MINUTES} minutes") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UnsupportedError(what, hint=" ".join(said[-3:])[-500:])
    return done.stdout


# ---------------------------------------------------------------- what Python imports

# Answers every kind of question once without NumPy, and tells which modules that took.
IN_USE = """
import sys, json
from symderiv.web.arrays import stand_in
stand_in()
from symderiv.web.using import use
use()
stdlib = set(sys.stdlib_module_names) | {"__main__"}
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] not in stdlib)))
"""


def in_use() -> list[str]:
    """Return the modules outside of Python's own that answering takes."""
    said = ran([sys.executable, "-c", IN_USE], Path.cwd(), "the engine does not run without NumPy")
    found: list[str] = json.loads(said.splitlines()[-1])
    return found


def collect(target: Path) -> None:
    """Copy the sources that the page needs: our own, and of the libraries the packages in use."""
    loaded = set(in_use())
    own = Path(str(files(OWN)))
    copy(own, target / "own" / OWN, lambda part: part.parts[0] not in (*LEFT_OUT, "web"))
    copy(own / "web", target / "own" / OWN / "web", lambda part: part.parts[0] not in ("page", "runtime"))
    for library in sorted({name.partition(".")[0] for name in loaded} - {OWN, "numpy"}):
        spec = find_spec(library) if PathFinder.find_spec(library) is not None else None
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            continue  # compiled for this machine; those that we need do without
        if spec.submodule_search_locations is None:
            (target / "lib").mkdir(parents=True, exist_ok=True)
            shutil.copy(spec.origin, target / "lib")
        else:
            top = Path(spec.origin).parent
            copy(top, target / "lib" / library, lambda part, library=library: wanted(library, part, loaded))  # type: ignore[misc]


def wanted(library: str, part: Path, loaded: Iterable[str]) -> bool:
    """Tell whether a file of a library is needed: its package is in use; of the topmost modules, only those that are.

    >>> (
    ...     wanted("rich", Path("cells.py"), {"rich", "rich.cells"}),
    ...     wanted("rich", Path("live.py"), {"rich"}),
    ... )
    (True, False)
    >>> (
    ...     wanted("sympy", Path("core/add.py"), {"sympy.core"}),
    ...     wanted("sympy", Path("stats/rv.py"), {"sympy.core"}),
    ... )
    (True, False)
    """
    package = ".".join([library, *part.parts[:-1]])
    if len(part.parts) == 1 and part.suffix == ".py":
        return part.stem == "__init__" or f"{library}.{part.stem}" in loaded
    return package in loaded or (part.suffix != ".py" and library in loaded)


def copy(source: Path, target: Path, takes: Callable[[Path], bool]) -> None:
    """Copy the modules and data of a package, but for its tests."""
    for path in sorted(source.rglob("*")):
        part = path.relative_to(source)
        if not path.is_file() or path.suffix not in DATA or {"__pycache__", "tests", "node_modules"} & {*part.parts}:
            continue
        if takes(part):
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target / part)


def compile_all(runtime: Path, sources: Path, target: Path) -> None:
    """Compile Python's library, and each folder of sources, into an archive each, by the Python that will run them."""
    with as_file(files("symderiv.web") / "runtime") as scripts:
        command = ["node", str(scripts / "compile.mjs"), str(runtime), str(sources), str(target)]
        ran(command, target, "the sources could not be compiled for browsers")


def lock_without_packages(lock: Path) -> str:
    """Return Pyodide's list of packages, empty: nothing is loaded from it."""
    info = json.loads(lock.read_text(encoding="utf-8"))
    return json.dumps({"info": info["info"], "packages": {}})


# ---------------------------------------------------------------- the folder


def write_page(site: Path) -> None:
    """Write the page, which asks a worker instead of a server."""
    for address, body in page_files().items():
        path = site / address.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_static(body) if address == "/index.html" else body)


def as_static(page: bytes) -> bytes:
    """Return the page with its engine in a worker, and with the policy that a server would send in its head."""
    text = page.decode()
    text = text.replace('data-engine="server"', 'data-engine="worker"')
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return re.sub(r'(<meta charset="utf-8">)', rf"\1\n{policy}", text, count=1).encode()


def sizes_of(folder: Path) -> dict[str, int]:
    """Return the files of a folder with their sizes."""
    found = {p.relative_to(folder).as_posix(): p.stat().st_size for p in sorted(folder.rglob("*")) if p.is_file()}
    return found


def put(made: Path, output: Path) -> None:
    """Put what was made into its place: files that a page was built of before are replaced, others are left alone."""
    for path in sorted(made.rglob("*")):
        target = output / path.relative_to(made)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(target.name + ".part")
        shutil.copyfile(path, aside)
        aside.replace(target)
