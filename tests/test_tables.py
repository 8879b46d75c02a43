"""Tables of numbers: against differences, at a point that is a minimum, printed alike everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv import Sheet, SymderivError, tables
from symderiv.check.points import stream
from symderiv.handout.build import read_and_decide, rendered
from symderiv.handout.numbers import rounded

TRAINED = """\
x: (N, I)
y: (N,)
w1: (J, I)
w2: (J,)
E = sum((tanh(x @ w1.T) @ w2 - y)**2) / 2
"""
HESSIAN = 'table(diff(E, w1, w1), minimum=(E, w1, w2), sizes={N: 8, I: 2, J: 2}, label="H25 b")\n'
DEEP = """\
x: (I,)
t: (K,)
w1: (J, I)
w2: (M, J)
w3: (K, M)
a = w1 @ x
b = w2 @ tanh(a)
E = sum((w3 @ tanh(b) - t)**2) / 2
exact = diag(diff(E, a, a))
approximation = (1 - tanh(a)**2)**2 * ((w2**2).T @ diag(diff(E, b, b))) \
- 2 * tanh(a) * (1 - tanh(a)**2) * (w2.T @ diff(E, b))
"""
SIZES = {"I": 3, "J": 4, "M": 3, "K": 2}
COLUMNS = 'table(exact, approximation, sizes={I: 3, J: 4, M: 3, K: 2}, label="H7")\n'


def drawn(seed, shapes):
    return {name: stream(seed, "table", name).standard_normal((1, *shape))[0] for name, shape in shapes.items()}


def test_the_hessian_of_a_trained_network_agrees_with_differences():
    (claim,) = Sheet(TRAINED + HESSIAN).claims
    assert (claim.status, claim.expected, claim.basis, claim.id) == ("agrees", "agrees", "numeric", "H25")
    data = drawn(claim.table.seed, {"x": (8, 2), "y": (8,)})
    hessian = claim.table.array(0).reshape(4, 4)
    assert np.allclose(hessian, hessian.T, rtol=1e-9)

    def gradient(theta):
        w1, w2 = theta[:4].reshape(2, 2), theta[4:]
        z = np.tanh(data["x"] @ w1.T)
        r = z @ w2 - data["y"]
        return np.concatenate([((r[:, None] * w2 * (1 - z**2)).T @ data["x"]).ravel(), z.T @ r])

    theta = np.concatenate([entries for _, _, entries in claim.table.weights])
    assert [name for name, _, _ in claim.table.weights] == ["w1", "w2"]
    assert np.abs(gradient(theta)).max() < 1e-10
    columns = [(gradient(theta + 1e-5 * e) - gradient(theta - 1e-5 * e)) / 2e-5 for e in np.eye(6)]
    assert np.allclose(np.array(columns)[:4, :4], hessian, rtol=1e-6, atol=1e-6)
    assert np.linalg.eigvalsh((np.array(columns) + np.array(columns).T) / 2)[0] > 0


def test_columns_are_compared():
    (claim,) = Sheet(DEEP + COLUMNS).claims
    v = drawn(claim.table.seed, {"x": (3,), "t": (2,), "w1": (4, 3), "w2": (3, 4), "w3": (2, 3)})

    def error(a):
        return ((v["w3"] @ np.tanh(v["w2"] @ np.tanh(a)) - v["t"]) ** 2).sum() / 2

    a, step = v["w1"] @ v["x"], 1e-3
    found = claim.table.array(0)
    for j, e in enumerate(np.eye(4) * step):
        second = (-error(a + 2 * e) + 16 * error(a + e) - 30 * error(a) + 16 * error(a - e) - error(a - 2 * e)) / 12
        assert found[j] == pytest.approx(second / step**2, rel=1e-5)
    assert claim.status == "agrees"
    assert not np.allclose(claim.table.array(0), claim.table.array(1), rtol=1e-3)  # the approximation is one


def test_free_indices_are_rows():
    text = DEEP + "table(diff(E, a[j], a[j]), sizes={I: 3, J: 4, M: 3, K: 2})\n"
    (claim,) = Sheet(text).claims
    (both,) = Sheet(DEEP + COLUMNS).claims
    assert claim.status == "agrees" and np.allclose(claim.table.array(0), both.table.array(0), rtol=1e-12)


def test_families_are_written_out():
    text = (
        "w: (P,)\nfor n in range(1, N + 1):\n    x[n]: (P,)\nE = sum((x[n] @ w)**2 for n in range(1, N + 1))\n"
        "X: (N, P)\n"
    )
    with pytest.raises(SymderivError, match="members of families"):
        Sheet(text + "table(diff(E, w, w), sizes={N: 3, P: 2})")


def test_wrong_code_does_not_agree(monkeypatch):
    real = tables.compiled
    monkeypatch.setattr(tables, "compiled", lambda *args: lambda **values: real(*args)(**values) * 1.001)
    (claim,) = Sheet("x: (n,)\nf = x @ x\ntable(diff(f, x), sizes={n: 3})").claims
    assert (claim.status, claim.as_expected) == ("undecided", False)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("table(diff(E, w1, w1), sizes={N: 8, I: 2})", "size J has no value"),
        ("table(diff(E, w1, w1), minimum=(w1, w2), sizes={N: 8, I: 2, J: 2})", "a number is minimised"),
        ("table(diff(E, w1), diff(E, w2), sizes={N: 8, I: 2, J: 2})", "equal shapes"),
        ("table(diff(E, w1, w1), size={N: 8})", "table takes expressions"),
        ("table(diff(E, w1, w1), sizes={E: 8})", "sizes= gives values to sizes"),
        ("table()", "expressions to be computed"),
        ("table(E, minimum=(-E, w1), sizes={N: 2, I: 2, J: 2})", "no strict minimum"),
    ],
)
def test_refused(line, message, monkeypatch):
    monkeypatch.setattr(tables, "SEEDS", 1)
    with pytest.raises(SymderivError, match=message) as found:
        Sheet(TRAINED + line)
    assert found.value.place is not None


def test_functions_without_a_formula_are_refused():
    with pytest.raises(SymderivError, match="no formula"):
        Sheet("x: (n,)\nloss: function()\nE = loss(x)\ntable(diff(E, x), sizes={n: 2})")
    with pytest.raises(SymderivError, match="no formula"):
        Sheet("x: (n,)\nh: elementwise()\ntable(h(x), sizes={n: 2})")


# ---------------------------------------------------------------- in print


def test_numbers_are_rounded_alike():
    assert rounded([58.95112, -6.7878, 0.004]) == ["$58.95$", "$-6.79$", "$0.00$"]
    assert rounded([-0.0001, 12345.6]) == ["$0$", "$12346$"]
    assert rounded([0.0, 0.0]) == ["$0$", "$0$"]
    assert rounded([1e-3, -2e-3]) == ["$0.001000$", "$-0.002000$"]


def test_every_format_prints_the_numbers(tmp_path):
    path = tmp_path / "notes.md"
    front = "---\ntitle: T\ndisplay:\n  w1: w^{(1)}\n---\n"
    path.write_text(f"{front}\n```symderiv\n{TRAINED}{HESSIAN}```\n", encoding="utf-8")
    built = read_and_decide(path)
    (record,) = (r.as_json() for r in built.records)
    assert (record["id"], record["status"], record["expected"]) == ("H25", "agrees", "agrees")
    number = rounded([v for _, values in built_table(built) for v in values])[0].strip("$")
    for name in ("tex", "md", "html"):
        assert number in rendered(built, name).decode().replace("&#x2212;", "-")
    assert "w^{(1)}_{11}" in rendered(built, "md").decode()


def built_table(built):
    (claim,) = Sheet(TRAINED + HESSIAN).claims
    return claim.table.arrays


def test_a_size_that_stands_as_a_number_needs_a_value():
    with pytest.raises(SymderivError, match="the size m has no value"):
        Sheet("A: (n, m)\ntable(log(m))")
    (claim,) = Sheet("A: (n, m)\ntable(log(m), sizes={m: 3})").claims
    assert claim.table.array(0) == pytest.approx(np.log(3))


@pytest.mark.filterwarnings("error")
def test_what_is_not_defined_at_the_point_is_nan_and_no_warning():
    (claim,) = Sheet("x: (n,)\ntable(log(-x**2), sizes={n: 3})").claims
    assert np.isnan(claim.table.array(0)).all()
