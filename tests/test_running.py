"""Code that is run before it is shown: what does not do what the definitions say is found out."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from symderiv.handout.build import build
from symderiv.running import StandIn, agreement, function_name, generated
from symderiv.sheet import Sheet, plain

LINEAR = """
D: (m, n)
W: (n, p)
T: (m, p)
A = D @ W
E = norm(A - T)**2
code(E, diff(E, W), diff(E, D), label="L8")
"""
LOOP = """
W: (n, n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(W @ h[t-1])
L = sum(h[T])
code(L, diff(L, W))
"""


def test_value_and_gradients_share_their_work() -> None:
    (claim,) = Sheet(LINEAR).claims
    assert (claim.id, claim.status, claim.expected, claim.basis) == ("L8", "agrees", "agrees", "numeric")
    assert claim.code is not None
    assert claim.code.text.count("D @ W") == 1
    rng = np.random.default_rng(0)
    D, W, T = rng.standard_normal((2, 3)), rng.standard_normal((3, 4)), rng.standard_normal((2, 4))
    value, by_w, by_d = claim.code.compile()(D=D, W=W, T=T)
    assert value == pytest.approx(((D @ W - T) ** 2).sum())
    assert np.allclose(by_w, 2 * D.T @ (D @ W - T), rtol=1e-12)
    assert np.allclose(by_d, 2 * (D @ W - T) @ W.T, rtol=1e-12)


MUTANTS = [
    (LINEAR, "D.T @", "-D.T @"), (LINEAR, "A = D @ W", "A = 1.0000001 * D @ W"), (LINEAR, "**2", "**2.0000001"),
    (LOOP, ".dot(W)", ".dot(W.T)"), (LOOP, "h[1:]**2", "h[:-1]**2"), (LOOP, "reversed(u)", "u"),
    (LOOP, "W_bar = u.T @ h[:-1]", "W_bar = u.T @ h[1:]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "right", "wrong"), MUTANTS)
def test_wrong_code_disagrees(text: str, right: str, wrong: str) -> None:
    sheet = Sheet(text)
    (statement,) = (s for s in sheet.statements if s.kind == "code")
    code = generated(statement, sheet.names)
    assert right in code.source
    assert agreement(code, statement, sheet.names, plain).status == "agrees"
    spoilt = replace(code, source=code.source.replace(right, wrong))
    found = agreement(spoilt, statement, sheet.names, plain)
    assert found.status == "disagrees"
    assert "relative error" in found.scope


@pytest.mark.parametrize("slots", [(0,), (1,), (0, 1), (0, 0), (1, 1)])
def test_stand_ins_have_the_derivatives_of_their_values(slots: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    u, v = rng.standard_normal(2), rng.standard_normal((3, 1))
    *fewer, last = slots
    below = StandIn("f", (2,), tuple(fewer))
    found = StandIn("f", (2,), slots)(u, v)
    x = (u, v)[last]
    wanted = np.zeros(found.shape)
    for k in np.ndindex(*x.shape):
        for sign in (1, -1):
            moved = [u.copy(), v.copy()]
            moved[last][k] += sign * 1e-5
            wanted[(..., *k)] += sign * below(*moved) / 2e-5
    assert np.abs(found - wanted).max() < 1e-8


def test_names_say_what_is_returned() -> None:
    sheet = Sheet(
        "w: (n,)\nv: (n,)\nf: function()\nE = f(w)\ndef R(g): return directional(g, {w: v})\n"
        "code(diff(E, w))\ncode(diff(E, w, w))\ncode(E, diff(E, w), diff(E, v))\ncode(R(diff(E, w)))"
    )
    names = [function_name(s.exprs) for s in sheet.statements if s.kind == "code"]
    assert names == ["dE_dw", "d2E_dw_dw", "E_and_gradients", "hessian_vector_product"]
    assert [c.status for c in sheet.claims] == ["agrees"] * 4


def test_a_cost_is_made_of_sizes() -> None:
    from symderiv.errors import SymderivError

    (claim,) = Sheet("w: (n,)\nE = w @ w\ncode(diff(E, w), cost=n)").claims
    assert claim.code is not None
    assert "of the order n." in claim.code.text
    with pytest.raises(SymderivError):
        Sheet("w: (n,)\nE = w @ w\ncode(diff(E, w), cost=w)")


def test_a_hessian_times_a_vector_is_a_difference_of_gradients() -> None:
    text = """
x: (I,)
t: (K,)
w1: (J, I)
w2: (K, J)
v1: (J, I)
v2: (K, J)
h: elementwise()
a = w1 @ x
z = h(a)
y = w2 @ z
E = sum((y - t)**2) / 2
d2 = diff(E, y)
d1 = diff(E, a)
def R(f): return directional(f, {w1: v1, w2: v2})
code(R(diff(E, w1)), R(diff(E, w2)), cost=J * (I + K), label="H19 l")
"""
    (claim,) = Sheet(text).claims
    assert claim.status == "agrees"
    assert claim.code is not None
    rng = np.random.default_rng(0)
    x, t, w1, w2 = (rng.standard_normal(s) for s in ((3,), (2,), (4, 3), (2, 4)))
    v1, v2 = rng.standard_normal((4, 3)), rng.standard_normal((2, 4))

    def gradients(s: float) -> tuple[np.ndarray, np.ndarray]:
        first, second = w1 + s * v1, w2 + s * v2
        error = second @ np.sin(first @ x) - t
        return np.outer(second.T @ error * np.cos(first @ x), x), np.outer(error, np.sin(first @ x))

    found = claim.code.compile()(
        x=x, t=t, w1=w1, w2=w2, v1=v1, v2=v2, h=np.sin, dh=np.cos, d2h=lambda u: -np.sin(u)
    )  # fmt: skip
    weights = dict(zip((-3, -2, -1, 1, 2, 3), np.array([-1, 9, -45, 45, -9, 1]) / 60e-3, strict=True))
    for k in (0, 1):
        wanted = sum(weight * gradients(s * 1e-3)[k] for s, weight in weights.items())
        assert np.abs(found[k] - wanted).max() <= 1e-8 * np.abs(wanted).max()


def test_a_handout_shows_the_code_and_brings_it_along(tmp_path: Path) -> None:
    source = tmp_path / "notes.md"
    text = LOOP.replace("W))", "W), cost=T * n**2, label='N1')")
    source.write_text("# Notes\n\n```symderiv" + text + "```\n")
    output = tmp_path / "output"
    (record,) = build([source], output, ["md", "html", "tex", "py"])
    assert (record.id, record.status, record.expected, record.basis) == ("N1", "agrees", "agrees", "numeric")
    shown, module = (output / "notes.md").read_text(), (output / "notes.py").read_text()
    assert "for u_t in reversed(u):" in shown
    assert "$T\\,n^{2}$" in shown
    assert "for u_t in reversed(u):" in module
    space = runpy.run_path(str(output / "notes.py"))
    value, gradient = space["L_and_dL_dW"](W=np.eye(2), h0=np.zeros(2), T=3)
    assert value == 0
    assert gradient.shape == (2, 2)
