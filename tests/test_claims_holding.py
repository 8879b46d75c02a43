"""`diff(f, x, holding=h)`: through all definitions but those named; and what becomes of immediate derivatives."""

from __future__ import annotations

import pytest
from networks import STATES

from symderiv import ParseError, Sheet, UnsupportedError
from symderiv.claims.holding import with_variables
from symderiv.lower import lower
from symderiv.render.latex import Latex
from symderiv.statements.block import Names, read_block
from symderiv.statements.meaning import meaning
from symderiv.tensor.text import to_text

NET = """
x: (I,)
w1: (J, I)
w2: (K, J)
h: elementwise()
loss: function()
G: function()
a = w1 @ x
z = h(a)
b = w2 @ z
"""
TIED = "w: (n, n)\nx: (n,)\nh: elementwise()\na = w @ x\nz = h(a)\nb = w @ z\n"


def decided(head: str, claim: str):
    (found,) = Sheet(f"{head}assert {claim}").claims
    return found


@pytest.mark.parametrize(
    ("head", "claim"),
    [
        (NET, "diff(b[k], w2[k_,j], holding=z) == delta[k,k_] * z[j]"),
        (NET, "diff(b[k], w1[j,i], holding=z) == 0 * w2[k,j] * x[i]"),
        (NET, "diff(b[k], w1[j,i], holding=(x, w2)) == w2[k,j] * diff(h)(a[j]) * x[i]"),
        (TIED, "diff(b[k], w[i,j], holding=z) == delta[k,i] * z[j]"),
        (TIED, "diff(b[k], w[i,j], holding=a) == delta[k,i] * z[j]"),
        (TIED, "diff(b[k], w[i,j], holding=(a, z)) == partial(b[k], w[i,j])"),
    ],
)
def test_what_is_held_is_a_constant(head, claim):
    found = decided(head, claim)
    assert (found.status, found.basis) == ("proved", "kernel")


def test_the_whole_is_the_held_part_and_the_rest():
    text = "diff(b[k], w[i,j]) == diff(b[k], w[i,j], holding=z) + sum[q](diff(b[k], z[q]) * diff(z[q], w[i,j]))"
    found = decided(TIED, text)
    assert (found.status, found.basis) == ("proved", "exact")  # z is a variable on one side only
    assert "beside one that holds it" in found.unproved
    assert decided(TIED, "diff(b[k], w[i,j]) == diff(b[k], w[i,j], holding=z)").status == "refuted"
    assert decided(TIED, "diff(b[k], w[i,j], holding=x) == diff(b[k], w[i,j])").status == "proved"


def test_a_proof_with_something_held_is_no_lemma_for_others():
    sheet = Sheet(TIED + "assert diff(b[k], w[i,j], holding=z) == delta[k,i] * z[j]\n")
    (total,) = sheet.read("assert diff(b[k], w[i,j]) == delta[k,i] * z[j]")
    assert total.status == "refuted"
    (true,) = sheet.read("assert diff(b[k], w[i,j]) == delta[k,i] * z[j] + w[k,i] * diff(h)(a[i]) * x[j]")
    assert (true.status, true.basis) == ("proved", "kernel")


def test_what_is_held_becomes_a_variable_unless_another_derivative_goes_through_it():
    (show,) = Sheet(TIED + "diff(b, w, holding=z)").statements[6:]
    (free,) = with_variables(*show.exprs)
    assert to_text(free) == "diff(b, w)" and {e.op for e in free.args[0].args[0].args} == {"var"}
    (both,) = Sheet(TIED + "diff(b, w, holding=z) + diff(b, w)").statements[6:]
    with pytest.raises(UnsupportedError, match="goes through z"):
        with_variables(*both.exprs)


def test_texts_and_print():
    (one, two) = (s.exprs[0] for s in Sheet(TIED + "diff(b, w, holding=z)\ndiff(b, w, holding=(a, z))").statements[6:])
    assert (to_text(one), to_text(two)) == ("diff(b, w, holding=z)", "diff(b, w, holding=(a, z))")
    assert Latex({}).matrix(one) == r"\left.\frac{\partial b}{\partial w}\right|_{z}"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("diff(b, w, keeping=z)", ParseError, "takes no keeping"),
        ("diff(b, w, holding=w @ x)", ParseError, "by its name"),
        ("partial(b, w, holding=z)", ParseError, "diff takes"),
        ("assert diff(b, z, holding=z) == w", UnsupportedError, "held and differentiated in"),
    ],
)
def test_mistakes_are_refused(text, kind, words):
    with pytest.raises(kind, match=words):
        Sheet(TIED + text)


RECURRENT = STATES + "for t in range(1, T + 1):\n    "


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ("diff(h[t], theta, holding=h[t-1]) == partial(h[t], theta)", "proved"),
        (
            "diff(h[t], theta) == diff(h[t], theta, holding=h[t-1]) + partial(h[t], h[t-1]) @ diff(h[t-1], theta)",
            "proved",
        ),
        ("diff(h[t], theta) == diff(h[t], theta, holding=h[t-1])", "refuted"),
    ],
)
def test_the_immediate_derivative_of_a_recurrence(claim, status):
    found = decided(RECURRENT, claim)
    assert (found.status, found.basis) == (status, "kernel" if status == "proved" else "")


# --- immediate derivatives ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("g", "claim"),
    [
        ("G(b)", "x[i] * diff(h)(a[j]) * sum[k](w2[k,j] * diff(g, b[k]))"),
        ("G(b)", "x[i] * diff(h)(a[j]) * diff(g, z[j])"),
        ("G(b, z)", "x[i] * diff(h)(a[j]) * (sum[k](w2[k,j] * diff(g, b[k])) + partial(g, z[j]))"),
        ("G(b, z)", "x[i] * diff(h)(a[j]) * (sum[k](w2[k,j] * partial(g, b)[k]) + partial(g, z)[j])"),
        ("G(b, z)", "x[i] * diff(h)(a[j]) * (sum[k](w2[k,j] * diff(g, b[k])) + diff(g, z[j], holding=b))"),
        ("G(b, q)", "x[i] * diff(h)(a[j]) * sum[k](w2[k,j] * diff(g, b[k])) + x[i] * diff(h, 2)(a[j]) * diff(g, q[j])"),
    ],
)
def test_an_operator_on_what_depends_on_the_first_layer_through_the_second(g, claim):
    """H22: ∂g/∂w⁽¹⁾, and what is added where g holds z or h'(a) itself."""
    head = NET + f"q = diff(h)(a)\ng = {g}\n"
    found = decided(head, f"diff(g, w1[j,i]) == {claim}")
    assert (found.status, found.basis) == ("proved", "kernel")
    for wrong in (claim.replace("x[i] * ", ""), claim.replace("diff(h)(a[j]) * ", ""), claim.replace("w2[k,j] * ", "")):
        assert wrong == claim or decided(head, f"diff(g, w1[j,i]) == {wrong}").status != "proved"


@pytest.mark.parametrize("g", ["G(b, z)", "G(b, q)"])
def test_what_is_added_must_not_be_left_out(g):
    claim = "diff(g, w1[j,i]) == x[i] * diff(h)(a[j]) * sum[k](w2[k,j] * diff(g, b[k]))"
    found = decided(NET + f"q = diff(h)(a)\ng = {g}\n", claim)
    assert found.status == "refuted" and "partial(g, " in found.correct


# --- derivatives of derivatives in a definition ---------------------------------------------------


def test_a_derivative_of_an_expression_that_holds_one_goes_through_definitions():
    """A sum of first derivatives, differentiated in a defined array: the second derivative, not 0."""
    head = "x: (n,)\nloss: function()\nc: ()\nu = 2 * x\nE = loss(u)\n"
    found = decided(head, "diff(3 * diff(E, u), u) == 3 * diff(E, u, u)")
    assert found.status == "proved" and found.sides.equal
    assert decided(head, "diff(3 * diff(E, u), u) == 0 * diff(E, u, u)").status == "refuted"
    (show,) = read_block(head + "diff(3 * diff(E, u), u)", Names())[5:]
    assert lower(show.exprs[0], meaning()).node.rank == 2


# --- named layers ---------------------------------------------------------------------------------

THREE = """
x: (I,)
w1: (J, I)
w2: (L, J)
w3: (K, L)
h: elementwise()
sigma: elementwise()
a = w1 @ x
z = h(a)
c = w2 @ z
d = w3 @ h(c)
y = sigma(d)
s = sigmoid(d)
p = softmax(d, 0)
"""


@pytest.mark.parametrize(
    "claim",
    [
        "diff(y[k], x[i]) == sum[j](w1[j,i] * diff(y[k], a[j])), 'H1 (5.73)'",
        "diff(y[k], a[j]) == diff(h)(a[j]) * sum[l](w2[l,j] * diff(y[k], c[l])), 'H2 (5.74)'",
        "diff(y[k], d[j]) == delta[k,j] * diff(sigma)(d[j]), 'H3 (5.75)'",
        "diff(s[k], d[j]) == delta[k,j] * diff(sigmoid)(d[j]), 'H3 (5.75)'",
        "diff(s[k], d[j]) == delta[k,j] * s[j] * (1 - s[j]), 'H3 (5.75)'",
        "diff(p[k], d[j]) == delta[k,j] * p[k] - p[k] * p[j], 'H4 (5.76)'",
    ],
)
def test_the_jacobian_of_a_network_by_layers(claim):
    found = decided(THREE, claim)
    assert (found.status, found.basis) == ("proved", "kernel")


@pytest.mark.parametrize(
    "claim",
    [
        "diff(y[k], x[i]) == sum[j](w1[j,i] * diff(y[k], z[j]))",
        "diff(y[k], a[j]) == sum[l](w2[l,j] * diff(y[k], c[l]))",
        "diff(y[k], d[j]) == diff(sigma)(d[j])",
        "diff(s[k], d[j]) == delta[k,j] * s[j]",
        "diff(p[k], d[j]) == p[k] - p[k] * p[j]",
        "diff(p[k], d[j]) == delta[k,j] * p[k] + p[k] * p[j]",
    ],
)
def test_a_wrong_line_of_it_is_refuted(claim):
    assert decided(THREE, claim).status == "refuted"


def test_a_function_of_the_sheet_at_an_entry():
    head = "a: (K,)\ndef sigma(t): return 1 / (1 + exp(-t))\ny = sigma(a)\n"
    found = decided(head, "diff(y[k], a[j]) == delta[k,j] * sigma(a[j]) * (1 - sigma(a[j]))")
    assert (found.status, found.basis) == ("proved", "kernel")
    assert decided(head, "diff(y[k], a[j]) == delta[k,j] * diff(sigma)(a[j])").status == "proved"
    assert decided(head, "diff(y[k], a[j]) == diff(sigma)(a[j])").status == "refuted"
