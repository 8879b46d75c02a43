"""What cannot be traced is refused, with the file, the line, the place in it, and the way out."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import symderiv
from symderiv.errors import Place, SymderivError

SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "A": ("n", "n"), "c": ()}
DATA = np.arange(12.0).reshape(3, 4)
state = np.random.default_rng(0)


def branch(c):
    if c > 0:  # here
        return c
    return -c


def truth(w):
    return w or 1  # here


def while_loop(c):
    while c < 3:  # here
        c = c + 1
    return c


def membership(c):
    return c * (c in [1.0, 2.0])  # here


def item(w):
    v = 2 * w
    v[0] = 1  # here
    return v


def to_float(c):
    return math.exp(c)  # here


def to_array(w):
    return np.asarray(w) + 1  # here


def entry(w):
    return w[0]  # here


def piece(w):
    return w[1:] - w[:-1]  # here


def masked(w):
    return np.sum(w[w > 0])  # here


def gone_through(w):
    return sum(w)  # here


def larger(w):
    return max(w, 0)  # here


def built_in_rounding(c):
    return round(c)  # here


def largest(w):
    return np.exp(w - np.max(w))  # here


def largest_by_method(w):
    return np.exp(w - w.max())  # here


def running_sum(w):
    return np.cumsum(w)  # here


def stacked(w, y):
    return np.concatenate([w, y])  # here


def decomposed(A):
    return np.linalg.svd(A)  # here


def library(w):
    return scipy.special.logsumexp(w)  # here


def library_softmax(w):
    return scipy.special.softmax(w)  # here


def special(w):
    return scipy.special.gamma(w)  # here


def standard_library(w):
    return statistics.mean(w)  # here


def helper(u):
    return np.sort(u)  # here


def through_a_helper(X, w):
    return helper(X @ w)


def data(X):
    return X @ DATA  # here


def random_array(w):
    return state.standard_normal(4) * w  # here


def symbolic_ones(X):
    return X + np.ones(X.shape)  # here


def symbolic_eye(A):
    return A + np.eye(len(A))  # here


def symbolic_range(w):
    for _ in range(w.shape[0]):  # here
        w = w * 2
    return w


def remainder(w):
    return w % 2  # here


def out(w):
    return np.exp(w, out=w)  # here


def summed_where(w):
    return np.sum(w, where=w > 0)  # here


def whole_numbers(w):
    return w.astype(int)  # here


def complex_numbers(w):
    return 1j * w  # here


def infinite(w):
    return np.inf * w  # here


def text(w):
    return w + "1"  # here


def listed(w):
    return [1, 2] + w  # noqa: RUF005  # here


def half_a_where(w):
    return np.where(w > 0)  # here


def boolean(w):
    return np.where(True, w, 0)  # here


def no_shapes(X, w):
    return X.T @ w  # here


def wrong_axis(X):
    return np.sum(X, axis=2)  # here


def wrong_reshape(X):
    return X.reshape(7, -1)  # here


def spectral(A):
    return np.linalg.norm(A, 2)  # here


def dots(A):
    return np.einsum("...i->...", A)  # here


def attribute(w):
    return w.softmax  # here


def misspelled(w):
    return wight * w  # noqa: F821  # here


def own_check(w):
    raise ValueError("w is not what it was")  # here


def endless(w):
    return endless(w)  # here


def view_changed(X):
    turned = X.T
    X += 1  # here
    return turned


def grown(w, X):
    w += X  # here
    return w


def huge_power(w):
    return w**10**9  # here


TABLE = {
    branch: ("branch", "np.where"),
    truth: ("depends on numbers", "np.where"),
    while_loop: ("branch", "np.where"),
    membership: ("branch", "np.where"),
    item: ("assigned", "np.where"),
    to_float: ("no number", "np.exp for math.exp"),
    to_array: ("no numbers", "leave out np.asarray"),
    entry: ("entries", "[:, None]"),
    piece: ("ranges", "[:, None]"),
    masked: ("entries", ""),
    gone_through: ("entry by entry", "np.sum"),
    larger: ("branch", "np.maximum"),
    built_in_rounding: ("rounded", ""),
    largest: ("np.max is not in the language", "softmax"),
    largest_by_method: ("no attribute 'max'", "softmax"),
    running_sum: ("np.cumsum", "triangular"),
    stacked: ("np.concatenate", "one by one"),
    decomposed: ("np.linalg.svd", "slogdet"),
    library: ("entry by entry", "symderiv.numpy_names"),
    library_softmax: ("no numbers", "symderiv.numpy_names"),
    special: ("gamma is not in the language", ""),
    standard_library: ("", ""),
    data: (r"shape \(3, 4\)", "a parameter"),
    random_array: (r"shape \(4,\)", "a parameter"),
    symbolic_ones: ("the size n is a symbol", "np.ones_like"),
    symbolic_eye: ("the size n is a symbol", "like=x"),
    symbolic_range: ("the size p is a symbol", "an integer in shapes"),
    remainder: ("remainder is not", ""),
    out: ("with out=", "plain function calls"),
    summed_where: ("where", "keepdims"),
    whole_numbers: ("int", "leave it out"),
    complex_numbers: ("complex", ""),
    infinite: ("out of range", "finite"),
    text: ("str", ""),
    listed: ("a list", "a parameter"),
    half_a_where: ("both branches", "yes, no"),
    boolean: ("is True", "with if"),
    no_shapes: ("inner sizes", "transposed"),
    wrong_axis: ("axis 2", "2 axes"),
    wrong_reshape: ("open size", ""),
    spectral: ("norm of order 2", "Frobenius"),
    dots: ("no einsum", "letters"),
    attribute: ("no attribute 'softmax'", ""),
    misspelled: ("NameError: name 'wight'", ""),
    own_check: ("ValueError: w is not what it was", ""),
    endless: ("RecursionError", ""),
    view_changed: ("view", "x = x"),
    grown: ("keeps its shape", ""),
    huge_power: ("too large", ""),
}


def marked_line(function):
    """Return the number of the line marked `# here` in a function, or in the helper that it calls."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    first = (helper if function is through_a_helper else function).__code__.co_firstlineno
    return next(k for k in range(first, len(lines) + 1) if lines[k - 1].endswith("# here"))


@pytest.mark.parametrize("function", [*TABLE, through_a_helper], ids=lambda f: f.__name__)
def test_it_is_refused_at_its_line(function):
    said, hint = TABLE.get(function, ("np.sort", ""))
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    with pytest.raises(SymderivError, match=said or ".") as caught:
        symderiv.derive(function, names[0], shapes=SHAPES)
    err = caught.value
    assert isinstance(err.place, Place)
    assert (err.place.source, err.place.line) == (__file__, marked_line(function))
    assert hint in err.hint
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[err.place.line - 1]
    assert line in str(err) and f"line {err.place.line}" in str(err)
    assert line[err.place.column :].strip() and err.place.column >= len(line) - len(line.lstrip())


def test_the_mark_stands_under_the_operation():
    with pytest.raises(symderiv.ShapeError) as caught:
        symderiv.derive(no_shapes, "w", shapes=SHAPES)
    place = caught.value.place
    assert place.text.splitlines()[place.line - 1][place.column : place.end] == "X.T @ w"
    assert caught.value.shapes == {"left": "(p, n)", "right": "(p,)"}


def random_number(w):
    return np.random.rand() * w


def counter(w, seen=[0]):  # noqa: B006
    seen[0] += 1
    return seen[0] * w


@pytest.mark.parametrize("function", [random_number, counter])
def test_hidden_state_is_refused(function):
    with pytest.raises(symderiv.UnsupportedError, match="another expression each time") as caught:
        symderiv.derive(function, "w", shapes=SHAPES)
    assert caught.value.place.line == function.__code__.co_firstlineno


def nothing(w):
    w + 1


def pair(w):
    return w, w


def comparison(w):
    return w > 0


def generator(w):
    yield w


@pytest.mark.parametrize(
    ("function", "said"),
    [(nothing, "returns nothing"), (pair, "returns 2 values"), (comparison, "comparison"), (generator, "generator")],
)
def test_what_is_returned_must_be_an_array(function, said):
    with pytest.raises(symderiv.UnsupportedError, match=said) as caught:
        symderiv.derive(function, "w", shapes=SHAPES)
    assert caught.value.place.line == function.__code__.co_firstlineno


def test_a_parameter_without_a_shape_is_named():
    with pytest.raises(symderiv.UnknownNameError, match="the parameter q of the lambda has no shape") as caught:
        symderiv.derive(lambda w, q: w * q, "w", shapes=SHAPES)
    assert 'shapes={"q": (…), …}' in caught.value.hint and "X, w, y" in caught.value.hint


@pytest.mark.parametrize("function", [np.tanh, dict, 3.5, [1], None, max])
def test_what_is_no_python_function_is_refused(function):
    with pytest.raises(SymderivError):
        symderiv.derive(function, "w", shapes=SHAPES)


def test_without_source_the_line_is_still_said():
    space = {"np": np}
    exec(compile("def f(w):\n    v = w + 1\n    return np.sort(v)\n", "<cell 4>", "exec"), space)
    with pytest.raises(symderiv.UnsupportedError, match=r"np.sort is not in the language \(<cell 4>, line 3\)"):
        symderiv.derive(space["f"], "w", shapes=SHAPES)


def test_a_refused_claim_points_into_the_claim():
    with pytest.raises(symderiv.UnsupportedError) as caught:
        symderiv.verify(lambda w: w @ w, "w", running_sum, shapes=SHAPES)
    assert caught.value.place.line == marked_line(running_sum)
