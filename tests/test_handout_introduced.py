"""What a block introduces: families with their ranges, hypotheses, approximations."""

from __future__ import annotations

import pytest
from networks import JACOBIANS, STATES

from symderiv import Sheet
from symderiv.handout.introduced import Introduced, needed, told_apart
from symderiv.handout.views import Printer, convention
from symderiv.render.latex import Latex
from symderiv.render.mathtext import is_harmless
from symderiv.render.model import ClaimView, Definitions, ForEach
from symderiv.sheet import Claim
from symderiv.statements.block import Names, read_block

RECURRENT = STATES + JACOBIANS


def introduced(text, **options):
    names = Names()
    statements = read_block(text, names)
    return Introduced(names, Latex(**options), "en"), statements


def entries(text, **options):
    found, statements = introduced(text, **options)
    definitions = found.definitions(statements)
    return () if definitions is None else definitions.entries


def claim_view(text, language="en", **options):
    """Return the last claim as it is printed, not decided."""
    sheet = Sheet()
    sheet.statements += read_block(text, sheet.names)
    statement = next(s for s in reversed(sheet.statements) if s.kind == "claim")
    return Printer(sheet, language=language, **options).claim(
        Claim("a", "a", statement.text, "undecided", "proved", statement=statement)
    )


def test_what_holds_for_each_member_stands_together_in_its_place():
    assert entries(RECURRENT) == (
        r"\theta \in \mathbb{R}^{q}",
        r"h_{0} \in \mathbb{R}^{n}",
        ForEach(r"t = 1, \dots, T", (r"x_{t} \in \mathbb{R}^{d}", r"h_{t} = f(h_{t-1}, x_{t}, \theta)")),
        r"J_{t} = \frac{\partial^{+} h_{t}}{\partial h_{t-1}}",
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("y: index(m)", (r"y \in \{1, \dots, m\}",)),
        ("tau: integer(0, T)", (r"\tau \in \{0, \dots, T\}",)),
        ("tau: integer(0, T)\nx: (n,)", (r"\tau \in \{0, \dots, T\}", r"x \in \mathbb{R}^{n}")),
        ("assert T >= 2", (r"T \ge 2",)),
        ("assert T > 2", (r"T \ge 3",)),
        ("V: orthogonal(n, n)", (r"V \in \mathbb{R}^{n\times n}\ \text{(orthogonal)}",)),
        ("alpha: positive()", (r"\alpha \in \mathbb{R}_{>0}",)),
        ("p: open_unit(n)", ("p \\in (0, 1)^{n}",)),
        ("h: elementwise()", ()),
        ("loss: function()", ()),
        ("w: (n,)\ndef at(i): return w[i]", (r"w \in \mathbb{R}^{n}",)),
        ("def sigma(t): return 1 / (1 + exp(-t))", (r"\sigma(t) = \frac{1}{1 + \exp(-t)}",)),
        ("w: (n,)\nv: (n,)\ndef R(f): return directional(f, {w: v})", (
            r"w \in \mathbb{R}^{n}", r"v \in \mathbb{R}^{n}", r"\mathcal{R}\{w\} = v",
        )),
        ("for t in range(1, T + 1):\n    y[t]: index(m)", (
            ForEach(r"t = 1, \dots, T", (r"y_{t} \in \{1, \dots, m\}",)),
        )),
        ("for t in range(1, T + 1):\n    S[t]: diagonal(n, n)", (
            ForEach(r"t = 1, \dots, T", (r"S_{t} \in \mathbb{R}^{n\times n}\ \text{(diagonal)}",)),
        )),
        ("for n in range(1, N + 1):\n    x[n]: (P,)\nL = sum(x[n] for n in range(1, N + 1))", (
            ForEach(r"n = 1, \dots, N", (r"x_{n} \in \mathbb{R}^{P}",)), r"L = \sum_{n=1}^{N} x_{n}",
        )),
    ],
)  # fmt: skip
def test_declarations_and_definitions(text, wanted):
    assert entries(text) == wanted


def test_widths_of_layers_and_labels_above():
    text = "for l in range(1, L + 1):\n    w[l]: (n[l], n[l-1])\n"
    assert entries(text, superscript=["w"]) == (
        ForEach(r"l = 1, \dots, L", (r"w^{(l)} \in \mathbb{R}^{n_{l}\times n_{l-1}}",)),
    )


@pytest.mark.parametrize(
    ("claim", "setting"),
    [
        (
            "for tau in range(0, T + 1):\n    for t in range(tau, T + 1):\n        assert diff(h[t], h[tau]) == eye(n)",
            r"For $0 \le \tau \le t \le T$:",
        ),
        ("for t in range(1, T):\n    assert h[t] == h[t]", r"For $1 \le t \le T-1$:"),
        ("assert h[T] == h[T]", ""),
        ("z: (n,)\nwith given(z @ z != 0):\n    assert z == z", r"If $z^{\top}\,z \ne 0$:"),
        ("z: (n,)\nwith given(z == h[0], z @ z > 1):\n    assert z == z", r"If $z = h_{0}$ and $z^{\top}\,z > 1$:"),
        (
            "z: (n,)\nfor t in range(1, T + 1):\n    with given(z == h[t]):\n        assert z == z",
            r"For $1 \le t \le T$, if $z = h_{t}$:",
        ),
    ],
)
def test_the_setting_of_a_claim(claim, setting):
    assert claim_view(RECURRENT + claim).setting == setting


def test_only_ranges_that_the_claim_needs_are_named():
    text = "tau: integer(0, T)\nx: (n,)\nassert x == x"
    assert claim_view(text).setting == ""


NEGLECTING = """
b: (K,)
loss: function()
E = loss(b)
with neglecting(diff(E, b[k], b[k_]), k != k_, because="off-diagonal terms are dropped"):
    assert diff(E, b[k], b[k]) == diff(E, b[k], b[k])
"""


def test_an_approximation_says_what_is_neglected_where_and_why():
    view = claim_view(NEGLECTING)
    assert r" \approx " in view.statement and " = " not in view.statement
    assert view.condition == (
        r"neglecting $\frac{\partial^{2} E}{\partial b_{k}\,\partial b_{k'}}$ for $k \ne k'$, "
        "because off-diagonal terms are dropped"
    )


@pytest.mark.parametrize("language", ["de", "ja"])
def test_conditions_speak_the_language(language):
    view, english = claim_view(NEGLECTING, language), claim_view(NEGLECTING)
    assert view.condition != english.condition and view.statement == english.statement


def test_without_neglecting_it_is_an_equation():
    assert r"\approx" not in claim_view(RECURRENT + "assert h[T] == h[T]").statement


# --- immediate derivatives ------------------------------------------------------------------------


def test_definitions_with_immediate_derivatives_are_told_apart():
    names = Names()
    found = read_block(RECURRENT + "b = h[0]\nc = b * b\npartial(c, b)\nJ(T)\ndiff(c, b)", names)
    assert told_apart(found) == {"c", "h"}


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_the_sign_of_an_immediate_derivative_is_explained_where_it_stands(language):
    plain = convention(language)
    stated = ClaimView("a", "a", r"\frac{\partial^{+} h}{\partial x} = 1", "proved", "proved", "")
    defined = Definitions((ForEach("t = 1", (r"J_{t} = \frac{\partial^{2+} h}{\partial x}",)),))
    for block in (stated, defined):
        longer = convention(language, blocks=[block])
        assert longer.startswith(plain) and r"\partial^{+}" in longer
    assert convention(language, blocks=[Definitions(("A = B",))]) == plain
    assert convention(language, "My own.", [stated]).startswith("My own. ")


def test_needed_ranges_bring_those_of_their_ends():
    _, statements = introduced(
        "for r in range(1, 3):\n  x[r]: (n,)\n"
        "for s in range(1, T + 1):\n  for t in range(s, T + 1):\n    for r in range(1, 3):\n      assert x[r] == x[r]"
    )
    ranges = statements[-1].ranges
    assert [r.variable for r in needed(ranges, {"t"})] == ["s", "t"]
    assert [r.variable for r in needed(ranges, {"r"})] == ["r"]


@pytest.mark.parametrize("text", [RECURRENT, NEGLECTING])
def test_everything_introduced_is_harmless(text):
    for entry in entries(text):
        for part in (entry,) if isinstance(entry, str) else (entry.ranges, *entry.entries):
            assert is_harmless(part)
