"""Python functions written in NumPy as input: what they compute, what their variables are called, what is decided."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys

import numpy as np
import pytest

import symderiv
from symderiv import numpy_names as names
from symderiv.inputs import read
from symderiv.tensor.text import to_text

SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "b": ()}
NET = {"X": ("n", "p"), "W1": ("h", "p"), "b1": ("h",), "W2": ("q", "h"), "Y": ("n", "q")}
rng = np.random.default_rng(11)


def least_squares(X, w, y):
    residual = X @ w - y
    return np.sum(residual**2) / len(y)


def two_layers(X, W1, b1, W2, Y, scale=0.5):
    hidden = np.tanh(X @ W1.T + b1)
    error = hidden @ W2.T - Y
    return scale * np.sum(error**2) / X.shape[0]


def gradient_by_hand(X, W1, b1, W2, Y):
    hidden = np.tanh(X @ W1.T + b1)
    error = (hidden @ W2.T - Y) / len(X)
    back = (error @ W2) * (1 - hidden**2)
    return back.T @ X


def text_of(function, shapes=SHAPES, **more):
    return to_text(read(function, shapes, more.get("assume"), more.get("functions"))[1])


def arrays(shapes, **sizes):
    return {k: rng.standard_normal(tuple(sizes[s] for s in shape)) for k, shape in shapes.items()}


def differences(function, given, name, step=1e-6):
    """Return the derivative of a number by central differences."""
    found = np.empty(given[name].shape)
    for at in np.ndindex(found.shape):
        up, down = given[name].copy(), given[name].copy()
        up[at] += step
        down[at] -= step
        found[at] = (function(**{**given, name: up}) - function(**{**given, name: down})) / (2 * step)
    return found


# ---------------------------------------------------------------- derive


@pytest.mark.parametrize("name", ["W1", "b1", "W2"])
def test_the_gradient_of_a_network(name):
    d = symderiv.derive(two_layers, name, shapes=NET)
    given = arrays(NET, n=5, p=3, h=4, q=2)
    value, slope = d.compile(value=True)(**given)
    np.testing.assert_allclose(value, two_layers(**given), rtol=1e-12)
    np.testing.assert_allclose(slope, differences(two_layers, given, name), rtol=1e-6, atol=1e-8)
    d.proof.check()


def test_local_variables_are_definitions():
    d = symderiv.derive(least_squares, "w", shapes=SHAPES)
    assert d.statements() == "residual = X @ w - y\n2 * X.T @ residual / n"
    assert list(d.definitions) == ["residual"]
    assert str(d.result) == "2 * X.T @ (X @ w - y) / n"
    assert "residual = X @ w - y" in d.to_numpy(value=True)
    assert "residual" in d.proof.to_latex()


def test_all_gradients_of_a_function():
    g = symderiv.gradients(two_layers, ["W1", "b1", "W2"], shapes=NET)
    given = arrays(NET, n=5, p=3, h=4, q=2)
    value, slopes = g.compile()(**given)
    np.testing.assert_allclose(value, two_layers(**given))
    for name, slope in slopes.items():
        np.testing.assert_allclose(slope, differences(two_layers, given, name), rtol=1e-6, atol=1e-8)


def test_statements_of_a_network_are_a_block_of_the_language():
    d = symderiv.derive(two_layers, "W1", shapes=NET)
    declared = "\n".join(f"{k}: ({', '.join(s)},)" for k, s in NET.items())
    read_back = symderiv.Sheet(f"{declared}\n{d.statements()}").statements
    assert [s.name for s in read_back if s.kind == "define"][:2] == list(d.definitions)[:2]


def test_loops_and_helper_functions_run():
    def layer(W, z):
        inside = W @ z
        return np.tanh(inside)

    def net(x, W, y):
        z = x
        for _ in range(3):
            z = layer(W, z)
        return np.sum((z - y) ** 2)

    d = symderiv.derive(net, "W", shapes={"x": ("n",), "W": ("n", "n"), "y": ("n",)})
    assert [name for name in d.definitions if name.startswith("z")] == ["z", "z_1", "z_2"]
    given = {"x": rng.standard_normal(3), "W": rng.standard_normal((3, 3)), "y": rng.standard_normal(3)}
    np.testing.assert_allclose(d.compile()(**given), differences(net, given, "W"), rtol=1e-6, atol=1e-8)


def test_names_that_mean_something_get_numbers():
    def f(x, c):
        norm = np.sqrt(np.sum(x**2))
        x = x / norm
        n = np.exp(x)
        return c @ n

    d = symderiv.derive(f, "x", shapes={"x": ("n",), "c": ("n",)})
    traced = symderiv.inputs.read(f, {"x": ("n",), "c": ("n",)}, None, None)[1]
    assert list(d.definitions)
    assert {e.name for e in _walk(traced) if e.op == "defined"} == {"norm_1", "x_1", "n_1"}


def _walk(expr):
    from symderiv.tensor.expr import walk

    return walk(expr)


def test_a_branch_guards_what_it_stands_for():
    def f(x):
        root = np.sqrt(x)
        return np.sum(np.where(x > 0, root, 0))

    slope = symderiv.derive(f, "x", shapes={"x": ("n",)}).compile()
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(slope(x=np.array([-1.0, 4.0])), [0, 0.25])


def test_parameters_keep_their_defaults_unless_they_have_a_shape():
    def f(w, y, lam=0.25, *, power=2, flag=True, name="x", missing=None):
        assert flag and name == "x" and missing is None
        return np.sum((w - y) ** power) + lam * np.sum(w**2)

    shapes = {"w": ("p",), "y": ("p",)}
    assert text_of(f, shapes) == "sum((w - y)**2) + 0.25 * sum(w**2)"
    assert text_of(f, {**shapes, "lam": ()}) == "sum((w - y)**2) + lam * sum(w**2)"


def test_closures_and_globals_over_numbers_are_constants():
    def make(rate):
        return lambda w: rate * w @ w / OFFSET

    assert text_of(make(0.1)) == "0.1 * w @ w / 3"


OFFSET = 3


def test_sizes_as_parameters_and_as_factors():
    def f(X, n):
        rows, columns = X.shape
        assert rows == n and rows != columns and rows == X.shape[0] and columns != 3
        return np.sum(X) / n + columns**2 * rows / (n - 1)

    assert text_of(f) == "sum(X) / n + n*p**2 / (n - 1)"


def doubled(v):
    return 2 * len(v)


def test_len_is_the_size_of_the_first_axis():
    nested = lambda v: v.sum() / len(v)  # noqa: E731

    def f(y):
        return nested(y) * doubled(y) + len([1, 2])

    assert text_of(f) == "sum(y) / n * (2*n) + 2"
    assert text_of(lambda z: z / len(z), {"z": (3,)}) == "z / 3"
    assert len.__module__ == "builtins" and doubled.__globals__["__builtins__"] is not None


def len_of_its_own():
    space = {}
    source = "def len(x):\n    return 7\n\n\ndef f(w):\n    return w * len(w)\n"
    exec(compile(source, "own.py", "exec"), space)
    return space["f"]


def test_a_len_of_the_users_own_stays():
    assert text_of(len_of_its_own()) == "w * 7"


def test_functions_without_a_source_have_names_too():
    space = {"np": np}
    exec(compile("def f(w):\n    square = w**2\n    return np.sum(np.exp(square))\n", "<nowhere>", "exec"), space)
    assert "square = w**2" in symderiv.derive(space["f"], "w", shapes=SHAPES).statements()


def test_methods_partial_functions_and_decorated_functions():
    class Model:
        rate = 0.5

        def loss(self, w):
            scaled = self.rate * w
            return np.sum(np.exp(scaled))

    def twice(function):
        @functools.wraps(function)
        def wrapper(*args, **keywords):
            return 2 * function(*args, **keywords)

        return wrapper

    @twice
    def decorated(w):
        inside = 3 * w
        return np.sum(np.exp(inside))

    assert "scaled = 0.5 * w" in symderiv.derive(Model().loss, "w", shapes=SHAPES).statements()
    assert "inside = 3 * w" in symderiv.derive(decorated, "w", shapes=SHAPES).statements()

    class Called:
        def __call__(self, w):
            inside = 3 * w
            return np.sum(np.exp(inside)) / len(w)

    assert "inside = 3 * w" in symderiv.derive(Called(), "w", shapes=SHAPES).statements()
    assert text_of(functools.partial(lambda w, c: c * w / len(w), c=2)) == "2 * w / p"


def test_unknown_functions_are_parameters():
    def f(A, x, g):
        return np.sum(g(A @ x))

    def slope(A, x, dg):
        return A.T @ dg(A @ x)

    given = {"shapes": {"A": ("m", "n"), "x": ("n",)}, "functions": {"g": ["dg"]}}
    assert str(symderiv.derive(f, "x", **given).result) == "A.T @ dg(A @ x)"
    assert symderiv.verify(f, "x", slope, **given).status == "proved"


def test_assumptions_hold_of_parameters():
    given = {"shapes": {"S": ("n", "n"), "x": ("n",)}, "assume": {"S": "symmetric"}}
    assert str(symderiv.derive(lambda x, S: x @ S @ x, "x", **given).result) == "2 * S @ x"


def test_a_constant_function_has_derivative_zero():
    assert str(symderiv.derive(lambda w: 3, "w", shapes=SHAPES).result) == "zeros(p)"


def test_a_function_is_left_as_it_was():
    def counted(w, calls=[]):  # noqa: B006
        calls.append(1)
        return np.sum(w)

    symderiv.derive(counted, "w", shapes=SHAPES)
    assert counted(np.ones(3)) == 3.0
    assert least_squares.__globals__["len" if "len" in globals() else "np"] is np


def test_debuggers_and_profilers_go_on():
    seen = []

    def tracer(frame, event, arg):
        seen.append(frame.f_code.co_name)
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        symderiv.derive(least_squares, "w", shapes=SHAPES)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert "least_squares" in seen


# ---------------------------------------------------------------- verify


def test_a_gradient_by_hand_is_proved():
    v = symderiv.verify(two_layers, "W1", gradient_by_hand, shapes=NET)
    assert (v.status, v.basis) == ("proved", "kernel")


def test_a_gradient_in_place_is_proved():
    def loss(X, w, y, lam=0.1):
        r = X @ w - y
        return np.mean(r**2) + lam * np.sum(w**2)

    def grad(X, w, y):
        g = X.T @ (X @ w - y)
        g *= 2
        g /= X.shape[0]
        g += 0.2 * w
        return g

    assert symderiv.verify(loss, "w", grad, shapes=SHAPES).status == "proved"
    assert symderiv.verify(loss, "w", lambda w, y, X: grad(X, w, y), shapes=SHAPES).status == "proved"


def test_a_wrong_gradient_is_refuted():
    def wrong(X, W1, b1, W2, Y):
        hidden = np.tanh(X @ W1.T + b1)
        error = (hidden @ W2.T - Y) / len(X)
        return ((error @ W2) * (1 - hidden)).T @ X  # the square is missing

    v = symderiv.verify(two_layers, "W1", wrong, shapes=NET)
    assert v.status == "refuted" and v.counterexample is not None


def test_a_relu_gradient_with_a_mask_is_proved():
    def loss(X, w):
        return np.sum(np.maximum(X @ w, 0) ** 2)

    def grad(X, w):
        z = X @ w
        return X.T @ (2 * (z > 0) * z)

    assert symderiv.verify(loss, "w", grad, shapes=SHAPES).status == "proved"


@pytest.mark.parametrize("claim", ["2 * X.T @ (X @ w - y) / n", lambda X, w, y: X.T @ (2 * (X @ w - y) / y.size)])
def test_claims_are_texts_functions_and_tensors(claim):
    assert symderiv.verify(least_squares, "w", claim, shapes=SHAPES).status == "proved"


def test_a_tensor_as_a_claim():
    X, w, y = symderiv.declare("X: (n, p)", "w: (p,)", "y: (n,)")
    good, bad = 2 * X.T @ (X @ w - y) / X.shape[0], X.T @ (X @ w - y)
    assert symderiv.verify(least_squares, "w", good, shapes=SHAPES).status == "proved"
    assert symderiv.verify(least_squares, w, bad, shapes=SHAPES).status == "refuted"
    assert symderiv.verify(np.sum((X @ w - y) ** 2) / X.shape[0], w, good).status == "proved"
    assert symderiv.verify("sum((X @ w - y)**2) / n", "w", good, shapes=SHAPES).status == "proved"


def test_a_claim_of_another_shape_is_refused():
    with pytest.raises(symderiv.ShapeError, match="another shape"):
        symderiv.verify(least_squares, "w", lambda X, w, y: X @ w, shapes=SHAPES)
    with pytest.raises(symderiv.UnknownNameError, match="the parameter v of the lambda has no shape"):
        symderiv.verify(least_squares, "w", lambda v: v, shapes=SHAPES)
    with pytest.raises(symderiv.UnknownNameError, match="unknown variable 'v'"):
        symderiv.verify(least_squares, "w", symderiv.declare("v: (p,)"), shapes=SHAPES)
    with pytest.raises(symderiv.UnsupportedError, match="cannot be read as a claim"):
        symderiv.verify(least_squares, "w", 3.5, shapes=SHAPES)


def test_structured_and_second_derivatives_of_functions():
    def f(S, x):
        return x @ S @ x + np.linalg.slogdet(S)[1]

    given = {"shapes": {"S": ("n", "n"), "x": ("n",)}, "assume": {"S": "positive_definite"}}
    assert str(symderiv.derive(f, ["x", "x"], **given).result) == "2 * S"
    assert symderiv.verify(f, "S", "outer(x, x) + inv(S)", **given).status == "proved"


# ---------------------------------------------------------------- the package


def test_importing_the_package_imports_neither_numpy_nor_the_engine():
    code = "import sys, symderiv; symderiv.declare; assert 'numpy' not in sys.modules, 'numpy'"
    first = "import sys, symderiv; assert not {'numpy', 'sympy', 'symderiv.tensor.array'} & set(sys.modules)"
    for text in (first, code):
        subprocess.run([sys.executable, "-c", text], check=True)


def test_names_are_reached_through_the_package():
    assert symderiv.numpy_names is names
    assert isinstance(symderiv.declare("x: (n,)"), symderiv.Tensor)
    assert {"declare", "numpy_names", "Tensor"} <= set(dir(symderiv))


def test_derivations_of_functions_pickle():
    d = symderiv.derive(least_squares, "w", shapes=SHAPES)
    assert pickle.loads(pickle.dumps(d)).statements() == d.statements()
