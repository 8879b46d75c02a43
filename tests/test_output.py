"""The committed handouts: byte for byte what is built now, and code that agrees with finite differences."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest

from symderiv.aside import write_aside
from symderiv.handout.build import built_in, pictures, rendered

OUTPUT = Path(__file__).resolve().parent.parent / "output"
LAYERS = [
    "backpropagation-through-a-layer",
    "backpropagation-durch-eine-schicht",
    "backpropagation-through-a-layer-ja",
]
SHAPES = {"D": (4, 3), "W": (3, 2), "b": (3,), "t": ()}
WEIGHTS = np.random.default_rng(1).standard_normal((4, 4))


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory, decided):
    folder = tmp_path_factory.mktemp("output")
    for path in built_in():
        built = decided(path)
        assert all(record.as_expected for record in built.records)
        for fmt in ("tex", "md", "py"):
            write_aside(folder / f"{path.stem}.{fmt}", rendered(built, fmt))
        for file, picture in pictures(built).items():
            write_aside(folder / file, picture)
    return folder


@pytest.mark.parametrize("fmt", ["tex", "md", "py"])
@pytest.mark.parametrize("name", [path.stem for path in built_in()])
def test_the_committed_handout_is_the_built_one(name, fmt, rebuilt):
    file = f"{name}.{fmt}"
    assert (OUTPUT / file).read_bytes() == (rebuilt / file).read_bytes()


def test_the_committed_pictures_are_the_built_ones(rebuilt):
    pytest.importorskip("pygraphviz", reason="pygraphviz comes with the extra symderiv[diagram]")
    built, committed = ({f.name: f.read_bytes() for f in folder.glob("*.svg")} for folder in (rebuilt, OUTPUT))
    assert built and built == committed


# --- the functions --------------------------------------------------------------------------------


def product(at):
    return at["D"] @ at["W"]


def shifted(at):
    return at["D"] + at["b"]


def logistic(at):
    return 1 / (1 + np.exp(-at["D"]))


def logistic_of_t(at):
    return 1 / (1 + np.exp(-at["t"]))


def energy(a):
    """A smooth function of a matrix in the place of the unknown one."""
    return np.sum(np.sin(a) * WEIGHTS[: a.shape[0], : a.shape[1]]) + np.sum(a @ a.T) / 2 + a[0, 0] * a[1, 1] ** 2


DEFINITIONS = {  # function of the module: the array it goes through, the variable, whether of the energy
    "dA_dW": (product, "W", False),
    "dE_dW": (product, "W", True),
    "dA_dD": (product, "D", False),
    "dE_dD": (product, "D", True),
    "dA_dD_L5": (shifted, "D", False),
    "dE_dD_L6": (shifted, "D", True),
    "dA_db": (shifted, "b", False),
    "dE_db": (shifted, "b", True),
    "dsigma_dt": (logistic_of_t, "t", False),
    "dE_dD_L10": (logistic, "D", True),
}


def functions(name):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), OUTPUT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {k: f for k, f in vars(module).items() if inspect.isfunction(f) and f.__doc__}


@pytest.mark.parametrize("name", LAYERS)
def test_every_function_of_a_layer_is_known_here(name):
    assert set(functions(name)) == set(DEFINITIONS)


@pytest.mark.parametrize("path", built_in(), ids=lambda p: p.stem)
def test_the_modules_need_numpy_only(path):
    """SciPy serves where it is there."""
    lines = (OUTPUT / f"{path.stem}.py").read_text(encoding="utf-8").splitlines()
    assert [x for x in lines if x.startswith(("import", "from"))] == ["import numpy as np"]
    inner = [k for k, x in enumerate(lines) if x.lstrip().startswith(("import ", "from ")) and x != x.lstrip()]
    assert all(lines[k].strip() == "from scipy import linalg" and lines[k - 1] == "try:" for k in inner)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("function", DEFINITIONS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_function_agrees_with_finite_differences(name, function, seed, slope_of):
    through, variable, of_energy = DEFINITIONS[function]
    rng = np.random.default_rng(seed)
    at = {k: rng.standard_normal(shape) for k, shape in SHAPES.items()}
    inner = through(at)
    sizes = {"m": 4, "n": 3, "p": 2}
    given = {**at, **sizes, "B": slope_of(lambda a: energy(a["A"]), {"A": inner}, "A") if of_energy else None}
    code = functions(name)[function]
    found = code(*(given[parameter] for parameter in inspect.signature(code).parameters))
    wanted = slope_of((lambda a: energy(through(a))) if of_energy else through, at, variable)
    assert np.shape(found) == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("module", sorted(OUTPUT.glob("*.py")), ids=lambda path: path.stem)
def test_generated_functions_name_only_what_they_have(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    here = {"np", "linalg", *dir(builtins), *(f.name for f in tree.body if isinstance(f, ast.FunctionDef))}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            own = {a.arg for a in ast.walk(function) if isinstance(a, ast.arg)}
            own |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
            assert {n.id for n in names} <= here | own, function.name
