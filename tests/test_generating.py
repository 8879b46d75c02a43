"""Generated modules and the tests beside them: they pass, need nothing of symderiv, and notice what is wrong."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import types

import numpy as np
import pytest

from symderiv import ParseError, ShapeError, UnsupportedError, generate

BOTH = ("hvp", "hessian")
NET = {"W1": ("m", "n"), "b1": ("m",), "W2": ("p", "m"), "x": ("n",), "y": ("p",)}
CASES = {
    "least_squares": ("norm(X @ w - y)**2", "w", {"second": BOTH}, {"X": ("n", "p"), "w": ("p",), "y": ("n",)}, {}),
    "logistic": (
        "sum(log(1 + exp(-y * (X @ w + b))))", ["w", "b"], {"second": BOTH, "flat": True},
        {"X": ("n", "p"), "w": ("p",), "b": (), "y": ("n",)}, {"y": "signs"},
    ),
    "network": ("norm(W2 @ tanh(W1 @ x + b1) - y)**2", ["W1", "b1", "W2"], {"second": "hvp", "flat": True}, NET, {}),
    "process": (
        "logdet(K) + y @ solve(K, y)", ["K", "y"], {"second": BOTH}, {"K": ("n", "n"), "y": ("n",)},
        {"K": "positive_definite"},
    ),
    "free_entries": (
        "trace(S @ A @ S) + trace(D @ A)", ["S", "D"], {"structured": True},
        {"S": ("n", "n"), "D": ("n", "n"), "A": ("n", "n")}, {"S": "symmetric", "D": "diagonal"},
    ),
    "rotation": (
        "trace(Q @ A @ Q.T @ B) + sum(inv(Q) * A)", "Q", {"second": BOTH},
        {"Q": ("n", "n"), "A": ("n", "n"), "B": ("n", "n")}, {"Q": "orthogonal"},
    ),
    "mixture": (
        "q @ log(q) - q @ A @ r + sum(P @ r)", ["q", "P"], {"second": BOTH},
        {"q": ("n",), "A": ("n", "m"), "r": ("m",), "P": ("k", "m")}, {"q": "simplex", "P": "simplex_rows"},
    ),
    "jacobian": ("tanh(A @ x) * y", ["A", "x"], {}, {"A": ("n", "m"), "x": ("m",), "y": ("n",)}, {}),
    "logarithm": ("sum(log(x)) * logdet(A)", ["x", "A"], {"second": "hessian"}, {"x": ("n",), "A": ("m", "m")}, {}),
    "literal": ("sum(X**3) + a", ["X", "a"], {"second": BOTH, "flat": True}, {"X": (3, 2), "a": ()}, {}),
    "kinked": ("sum(relu(A @ x)) + sum(abs(x))", "x", {"second": "hvp"}, {"A": ("n", "m"), "x": ("m",)}, {}),
    "powers": ("trace(matrix_power(A, k))", "A", {}, {"A": ("n", "n"), "k": "size"}, {}),
    "np_": ("sum(seed * given) * np", ["seed", "np"], {}, {"seed": ("rng",), "given": ("rng",), "np": ()}, {}),
}  # fmt: skip


def made(name, **more):
    text, wrt, options, shapes, assume = CASES[name]
    return generate(text, wrt, name=name, shapes=shapes, assume=assume, **{**options, **more})


def run(folder, *arguments):
    """Run pytest in a folder, without symderiv in reach."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-rf", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env)


def test_they_pass(tmp_path):
    for name in CASES:
        made(name).write(tmp_path)
    generate("v @ h(W @ x)", ["W", "v"], name="unknown", second=BOTH, functions={"h": ["dh", "d2h"]},
             shapes={"W": ("m", "n"), "x": ("n",), "v": ("m",)}).write(tmp_path)  # fmt: skip
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 150


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_symderiv_is_imported(name):
    found = made(name)
    for text, allowed in ((found.module, {"numpy", "scipy"}), (found.tests, {"numpy", "pytest", "inspect", name})):
        imported = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                imported |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
        assert imported <= allowed


@pytest.mark.parametrize("name", CASES)
def test_the_texts_are_the_same_each_time(name):
    assert made(name) == made(name)


def test_the_texts_do_not_depend_on_hashes():
    code = "import symderiv; print(symderiv.generate('norm(W @ tanh(V @ x) - y)**2', ['W', 'V'], second='hvp', " \
           "shapes={'W': ('k', 'h'), 'V': ('h', 'd'), 'x': ('d',), 'y': ('k',)}).files)"  # fmt: skip
    texts = {
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed},
                       capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(texts) == 1


# --- a wrong module is noticed


class Changed(ast.NodeTransformer):
    """Changes one array that is returned, the `which`-th of all, a little."""

    def __init__(self, which: int) -> None:
        self.which, self.count, self.place = which, 0, ""

    def visit_FunctionDef(self, node):
        self.function = node.name
        return self.generic_visit(node)

    def visit_Return(self, node):
        if "_and_" in self.function or self.function.endswith(("_hvp", "_hessian")) or self.function in ("fun", "hess"):
            node.value = self.result(node.value)
        return node

    def result(self, value):
        match value:
            case ast.Tuple():
                value.elts = [self.result(e) for e in value.elts]
            case ast.Dict():
                value.values = [self.result(e) for e in value.values]
            case _:
                self.count += 1
                if self.count - 1 == self.which:
                    return ast.Call(ast.Name("changed", ast.Load()), [value], [])
        return value


def changed(x):
    """Return an array with another small number added to each entry."""
    return x + 0.01 * np.arange(1, np.size(x) + 1).reshape(np.shape(x))


def is_noticed(name, source, tests, monkeypatch):
    """Tell whether a test of the file fails for a module."""
    own = types.ModuleType(name)
    own.changed = changed
    exec(source, own.__dict__)
    monkeypatch.setitem(sys.modules, name, own)
    space = {}
    exec(tests, space)
    for word, test in space.items():
        if word.startswith("test_"):
            (mark,) = test.pytestmark
            for seed in mark.args[1]:
                try:
                    test(seed)
                except AssertionError:
                    return True
    return False


@pytest.mark.parametrize("name", CASES)
def test_whatever_is_wrong_is_noticed(name, monkeypatch):
    found = made(name)
    assert not is_noticed(name, found.module, found.tests, monkeypatch)
    tree, which = None, 0
    while True:
        change = Changed(which)
        tree = change.visit(ast.parse(found.module))
        if which == change.count:
            break
        assert is_noticed(name, ast.unparse(ast.fix_missing_locations(tree)), found.tests, monkeypatch), which
        which += 1
    assert which >= 2


# --- what is in the module


def module(found):
    space = {}
    exec(found.module, space)
    return space


def test_one_variable_gives_an_array_and_several_a_dictionary():
    given = {"X": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), "w": np.array([1.0, -1.0]), "y": np.ones(3)}
    shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}
    one = module(generate("norm(X @ w - y)**2", "w", second="hessian", shapes=shapes))
    value, slope = one["loss_and_gradient"](**given)
    assert value == one["loss"](**given) == pytest.approx(17)
    np.testing.assert_allclose(slope, 2 * given["X"].T @ (given["X"] @ given["w"] - 1))
    np.testing.assert_allclose(one["loss_hessian"](**given), 2 * given["X"].T @ given["X"])
    several = module(generate("norm(X @ w - y)**2", ["w", "y"], name="fit", second="hessian", shapes=shapes))
    assert list(several["fit_and_gradients"](**given)[1]) == ["w", "y"]
    assert list(several["fit_hessian"](**given)) == [("w", "w"), ("w", "y"), ("y", "y")]


def test_writing(tmp_path):
    found = made("least_squares")
    paths = found.write(tmp_path / "new" / "folder")
    assert [p.name for p in paths] == ["least_squares.py", "test_least_squares.py"] == list(found.files)
    assert [p.read_text(encoding="utf-8") for p in paths] == [found.module, found.tests]


def test_refused():
    shapes = {"X": ("n", "p"), "w": ("p",), "s": ("n",), "S": ("p", "p")}
    for wrong in ("X", "np", "2x", "seeds", "class"):
        with pytest.raises(ParseError):
            generate("norm(X @ w)", "w", name=wrong, shapes=shapes)
    with pytest.raises(ParseError, match="no second derivative"):
        generate("norm(X @ w)", "w", second="third", shapes=shapes)
    with pytest.raises(ShapeError, match="for numbers"):
        generate("X @ w", "w", second="hessian", shapes=shapes)
    with pytest.raises(UnsupportedError, match="isolated"):
        generate("s @ X @ w", "s", shapes=shapes, assume={"s": "signs"})
    with pytest.raises(UnsupportedError, match="every entry"):
        generate("logdet(S)", "S", flat=True, structured=True, shapes=shapes, assume={"S": "symmetric"})
    with pytest.raises(UnsupportedError, match="no random arguments"):
        generate("sum(log(-w**2 - 1))", "w", shapes=shapes)
