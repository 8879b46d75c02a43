"""The notes' own lines, typed as LaTeX: every equality is proved, and a mistake is found where it was made."""

from __future__ import annotations

import pickle

import pytest
from networks import JACOBIANS, LAYER, NAMED_LAYERS, RECURRENT

import symderiv
from symderiv.errors import ParseError, SymderivError
from symderiv.marking import homework

BIAS = "D: (m, n); b: (n,); loss: function(); A = D + b; E = loss(A); B = diff(E, A)"
LOGISTIC = "t: ()\ndef sigma(t): return 1 / (1 + exp(-t))"
ENTRYWISE = "D: (m, n); loss: function(); A = sigmoid(D); E = loss(A); B = diff(E, A)"
STATES = RECURRENT + JACOBIANS

L1 = r"""
\begin{align*}
\frac{\partial A_{ij}}{\partial W_{kl}}
  &= \frac{\partial}{\partial W_{kl}} \left( \sum_{q=1}^{n} D_{iq} W_{qj} \right) \\
  &= \sum_{q} D_{iq} \, \delta_{qk} \, \delta_{jl} \overset{q=k}{=} D_{ik}\,\delta_{jl} \qquad\square
\end{align*}
"""
L2 = r"""
\begin{align*}
\frac{\partial E}{\partial W_{kl}}
  &= \sum_{i=1}^{m}\sum_{j=1}^{p}\,\underbrace{\frac{\partial E}{\partial A_{ij}}}_{=\,B_{ij}}\,
     \frac{\partial A_{ij}}{\partial W_{kl}} && \text{chain rule through } A\\
  &= \sum_{i,j} B_{ij}\, D_{ik}\,\delta_{jl} && \text{by (L1)}\\
  &\overset{j=l}{=} \sum_{i} B_{il}\, D_{ik} && \text{contract } \delta_{jl}\\
  &= \sum_{i} (D^{\top})_{ki}\, B_{il} && \text{transpose}\\
  &= (D^{\top} B)_{kl} && \text{matrix product} \qquad\square
\end{align*}
"""
L3 = r"""
\frac{\partial A_{ij}}{\partial D_{kl}} = \sum_q \frac{\partial D_{iq}}{\partial D_{kl}} W_{qj}
  = \sum_q \delta_{ik} \delta_{ql} W_{qj} = \delta_{ik} W_{lj}
"""
L4 = r"""
\frac{\partial E}{\partial D_{kl}}
  &= \sum_{i,j} \frac{\partial E}{\partial A_{ij}} \frac{\partial A_{ij}}{\partial D_{kl}} \\
  &= \sum_{ij} B_{ij} \delta_{ik} W_{lj} \\
  &= \sum_j B_{kj} W_{lj} = \sum_j B_{kj} (W^T)_{jl} = (B W^T)_{kl}
"""
L5 = r"""
\frac{\partial A_{ij}}{\partial D_{kl}}
  = \frac{\partial D_{ij}}{\partial D_{kl}} + \underbrace{\frac{\partial b_j}{\partial D_{kl}}}_{=0}
  = \delta_{ik} \delta_{jl}
"""
L6 = r"""
\frac{\partial E}{\partial D_{kl}}
  = \sum_{i,j} \frac{\partial E}{\partial A_{ij}} \frac{\partial A_{ij}}{\partial D_{kl}}
  = \sum_{i,j} B_{ij} \delta_{ik} \delta_{jl} = B_{kl}.
"""
L7 = r"""
\frac{\partial A_{ij}}{\partial b_k}
  = \underbrace{\frac{\partial D_{ij}}{\partial b_k}}_{=0} + \frac{\partial b_j}{\partial b_k} = \delta_{kj}
"""
L8 = r"""
\frac{\partial E}{\partial b_k} = \sum_{i,j} \frac{\partial E}{\partial A_{ij}} \frac{\partial A_{ij}}{\partial b_k}
  = \sum_{i,j} B_{ij} \delta_{kj} = \sum_{i=1}^m B_{ik}
"""
L9 = r"""
\begin{align*}
\sigma'(t) &= \frac{d}{dt}\bigl(1+e^{-t}\bigr)^{-1}
   = -\bigl(1+e^{-t}\bigr)^{-2}\cdot\bigl(-e^{-t}\bigr) && \text{power and chain rule}\\
  &= \frac{1}{1+e^{-t}}\cdot\frac{e^{-t}}{1+e^{-t}} && \text{split the fraction}\\
  &= \sigma(t)\,\bigl(1-\sigma(t)\bigr) && 1-\sigma(t)=\tfrac{e^{-t}}{1+e^{-t}} \qquad\square
\end{align*}
"""
L10 = r"""
\frac{\partial E}{\partial D_{kl}} &= \sum_{i,j} B_{ij} \frac{\partial A_{ij}}{\partial D_{kl}} \\
  &= \sum_{i,j} B_{ij} \, \sigma'(D_{ij}) \, \delta_{ik}\delta_{jl} \\
  &= B_{kl} A_{kl} (1 - A_{kl})
"""
NOTES = {
    "L1": (LAYER, L1), "L2": (LAYER, L2), "L3": (LAYER, L3), "L4": (LAYER, L4), "L5": (BIAS, L5), "L6": (BIAS, L6),
    "L7": (BIAS, L7), "L8": (BIAS, L8), "L9": (LOGISTIC, L9), "L10": (ENTRYWISE, L10),
}  # fmt: skip

#  row, what is changed and into what, the number of the first equality that is wrong, and how
MISTAKES = [
    ("L1", r"D_{ik}\,\delta_{jl} \qquad", r"D_{ik} \qquad", 3, "refuted"),  # a dropped δ
    ("L1", r"\sum_{q} D_{iq}", r"\sum_{q} D_{qi}", 2, "rejected"),  # swapped indices
    ("L1", r"\sum_{q=1}^{n}", r"\sum_{q=1}^{m}", 1, "rejected"),  # a wrong range
    ("L2", r"(D^{\top} B)_{kl}", r"(D B)_{kl}", 6, "rejected"),  # a lost transpose
    ("L2", r"\sum_{i} B_{il}\, D_{ik}", r"\sum_{i} B_{ij}\, D_{ik}", 4, "rejected"),  # an index that stays
    ("L2", r"\sum_{i=1}^{m}", r"\sum_{i=1}^{p}", 1, "rejected"),  # a wrong range
    ("L2", r"_{=\,B_{ij}}", r"_{=\,2 B_{ij}}", 2, "refuted"),  # what stands under a brace
    ("L3", r"= \delta_{ik} W_{lj}", r"= \delta_{il} W_{kj}", 3, "rejected"),  # swapped indices
    ("L4", r"= (B W^T)_{kl}", r"= (B W)_{kl}", 5, "rejected"),  # a lost transpose
    ("L4", r"\sum_{ij} B_{ij} \delta_{ik}", r"\sum_{ij} B_{ij}", 2, "refuted"),  # a dropped δ
    ("L5", r"= \delta_{ik} \delta_{jl}", r"= -\delta_{ik} \delta_{jl}", 3, "refuted"),  # a wrong sign
    ("L6", r"= B_{kl}.", r"= 2 B_{kl}.", 3, "refuted"),  # a factor 2
    ("L7", r"\frac{\partial b_j}{\partial b_k} =", r"\frac{\partial b_k}{\partial b_j} = 1 =", 3, "refuted"),
    ("L8", r"\sum_{i=1}^m B_{ik}", r"\sum_{i=1}^n B_{ik}", 3, "rejected"),  # a wrong range
    ("L8", r"\sum_{i=1}^m B_{ik}", r"B_{ik}", 3, "refuted"),  # a sum forgotten
    ("L9", r"\cdot\bigl(-e^{-t}\bigr)", r"\cdot\bigl(e^{-t}\bigr)", 2, "refuted"),  # a wrong sign
    ("L9", r"\bigr)^{-2}", r"\bigr)^{-1}", 2, "refuted"),
    ("L10", r"(1 - A_{kl})", r"(1 + A_{kl})", 3, "refuted"),
    ("L10", r"\delta_{ik}\delta_{jl}", r"\delta_{ik}", 2, "refuted"),  # a dropped δ
]


@pytest.mark.parametrize("row", NOTES)
def test_the_notes_are_right(row: str) -> None:
    found = homework(NOTES[row][1], NOTES[row][0])
    assert (found.status, found.first_wrong) == ("proved", None), str(found)
    assert {e.basis for e in found.equalities} == {"kernel"}


@pytest.mark.parametrize(("row", "old", "new", "number", "status"), MISTAKES)
def test_a_mistake_is_found_where_it_was_made(row: str, old: str, new: str, number: int, status: str) -> None:
    declarations, latex = NOTES[row]
    assert old in latex
    wrong = homework(latex.replace(old, new, 1), declarations).first_wrong
    assert wrong is not None
    assert (wrong.number, wrong.status) == (number, status)
    line = latex[: latex.index(old)].count("\n") + 1
    assert abs(wrong.place.line - line) <= 1
    assert wrong.counterexample is not None if status == "refuted" else wrong.reason


H16 = r"""
\begin{align*}
\frac{\partial b_k}{\partial w^{(1)}_{ji}}
  &= \sum_{q} w^{(2)}_{kq}\, h'(a_q)\,\frac{\partial a_q}{\partial w^{(1)}_{ji}}
   = \sum_q w^{(2)}_{kq}\,h'(a_q)\,\delta_{qj}\,x_i
   \overset{q=j}{=} x_i\, h'(a_j)\, w^{(2)}_{kj} && \text{(a)}\\
\frac{\partial E}{\partial w^{(1)}_{ji}}
  &= \sum_k \delta_k\,\frac{\partial b_k}{\partial w^{(1)}_{ji}}
   = x_i\, h'(a_j) \sum_k w^{(2)}_{kj}\,\delta_k && \text{(b)}\\[4pt]
\frac{\partial^2 E}{\partial w^{(1)}_{ji}\,\partial w^{(1)}_{j'i'}}
  &= x_i\, h''(a_j)\,\delta_{jj'}\,x_{i'} \sum_k w^{(2)}_{kj}\,\delta_k
   + x_i\, h'(a_j) \sum_k w^{(2)}_{kj} \sum_{k'} M_{kk'}\,\frac{\partial b_{k'}}{\partial w^{(1)}_{j'i'}}
   && \text{chain rule}\\
  &= x_i\, x_{i'}\, h''(a_{j'})\,\delta_{jj'} \sum_k w^{(2)}_{kj'}\,\delta_k
   + x_i\, x_{i'}\, h'(a_{j'})\,h'(a_j) \sum_{k,k'} w^{(2)}_{k'j'}\,w^{(2)}_{kj}\,M_{kk'} && \text{(a)} \qquad\square
\end{align*}
"""
H6 = r"""
\frac{\partial^2 E}{\partial a_j^2} = h'(a_j)^2 \sum_k \sum_{k'} w^{(2)}_{kj} w^{(2)}_{k'j}
  \frac{\partial^2 E}{\partial b_k \partial b_{k'}} + h''(a_j) \sum_k w^{(2)}_{kj} \frac{\partial E}{\partial b_k}
"""
H15 = r"\frac{\partial^2 E}{\partial w^{(2)}_{kj}\partial w^{(2)}_{k'j'}} = z_j z_{j'} M_{kk'}"
H17 = r"""
\frac{\partial^2 E}{\partial w^{(1)}_{ji}\partial w^{(2)}_{kj'}}
  = x_i h'(a_j) \left\{ \delta_k \delta_{jj'} + z_{j'} \sum_{k'} w^{(2)}_{k'j} M_{kk'} \right\}
"""
H18 = r"""
\frac{\partial^2 E}{\partial w^{(1)}_{ji}\partial w^{(2)}_{kj'}}
  = x_i h'(a_{j'}) \left\{ \delta_k \delta_{jj'} + z_{j} \sum_{k'} w^{(2)}_{k'j'} M_{kk'} \right\}
"""


@pytest.mark.parametrize(
    ("latex", "status"), [(H6, "proved"), (H15, "proved"), (H16, "proved"), (H17, "proved"), (H18, "refuted")]
)
def test_rows_of_the_hessian(latex: str, status: str) -> None:
    found = homework(latex, NAMED_LAYERS, display={"d": r"\delta"})
    assert found.status == status, str(found)
    if status == "refuted":  # the misprint of the book is told what it should be
        assert r"\delta_{jj'}\,\delta_{k}" in found.equalities[0].correct


SHERMAN = r"(M + u v^\top)^{-1} = M^{-1} - \frac{(M^{-1} u)(v^\top M^{-1})}{1 + v^\top M^{-1} u}"
SOFTMAX = r"\frac{\partial y_k}{\partial a_j} = \delta_{kj} y_k - y_k y_j = y_k (\delta_{kj} - y_j)"


def test_rows_in_matrix_notation() -> None:
    assert homework(SHERMAN, "M: invertible(n, n); u: (n,); v: (n,)").status == "proved"
    assert homework(SHERMAN.replace("1 + v", "1 - v"), "M: invertible(n, n); u: (n,); v: (n,)").status == "refuted"
    assert homework(SOFTMAX, "a: (K,); y = softmax(a, 0)").status == "proved"


STATE = {"t": (1, "T - 1")}
BOTH = {"tau": (0, "T"), "t": ("tau", "T")}
R1 = r"\frac{\partial h_t}{\partial h_\tau} = \prod_{s=t}^{\tau+1} J_s"
R4 = r"""
\frac{\partial L}{\partial h_t}
  = \left(\frac{\partial^{+} h_{t+1}}{\partial h_t}\right)^{\!\top} \frac{\partial L}{\partial h^{(t+1)}}
  + \left(\frac{\partial^{+} o_t}{\partial h_t}\right)^\top \frac{\partial L}{\partial o_t}
"""


def test_rows_of_recurrent_networks() -> None:
    assert homework(R1, STATES, ranges=BOTH).status == "proved"
    assert homework(r"\frac{\partial h_\tau}{\partial h_\tau} = I", STATES, ranges={"tau": (0, "T")}).status == "proved"
    assert homework(R4, STATES, ranges=STATE).status == "proved"


def test_products_in_the_wrong_order_and_lost_transposes() -> None:
    assert homework(R1.replace(r"{s=t}^{\tau+1}", r"{s=\tau+1}^{t}"), STATES, ranges=BOTH).status == "refuted"
    assert homework(R4.replace(r"\right)^{\!\top}", r"\right)"), STATES, ranges=STATE).status == "refuted"
    assert homework(R4.replace(r"\right)^\top", r"\right)"), STATES, ranges=STATE).status == "rejected"


DOTS = r"\frac{\partial h_t}{\partial h_\tau} = J_t\,J_{t-1} \cdots J_{\tau+1}"
SLOPES = r"""\frac{\partial h_t}{\partial h_\tau}
  = \frac{\partial h_t}{\partial h_{t-1}} \cdots \frac{\partial h_{\tau+1}}{\partial h_\tau}"""


def test_products_with_dots() -> None:
    assert homework(DOTS, STATES, ranges=BOTH).status == "proved"
    assert homework(SLOPES, STATES, ranges=BOTH).status == "proved"
    backward = r"\frac{\partial h_t}{\partial h_\tau} = J_{\tau+1} J_{\tau+2} \cdots J_t"
    assert homework(backward, STATES, ranges=BOTH).status == "refuted"
    (found,) = homework(r"J_t J_{t-1} \cdots J_{\tau+1} = \prod_{s=t}^{\tau+1} J_s", STATES, ranges=BOTH).equalities
    assert found.status == "proved"
    assert found.text.startswith("prod((J(s) for s in range(t, tau, -1))) == ")


@pytest.mark.parametrize("latex", [r"J_t \cdots h_\tau = J_t", r"\cdots J_t = J_t", r"J_t \cdots = J_t"])
def test_dots_that_say_nothing(latex: str) -> None:
    with pytest.raises(ParseError, match=r"dots|factors"):
        homework(latex, STATES, ranges={"tau": (1, "T"), "t": ("tau", "T")})


def test_a_mistake_inside_of_a_function_is_shown_where_it_is_called() -> None:
    found = homework(r"J_t = J_t", STATES, ranges={"t": (0, "T")}).equalities[0]
    assert found.status == "undecided"
    assert "may lie outside" in found.reason
    assert found.place.line == 1 and found.place.column < 9


# -- what a result says


def test_a_result_names_the_first_wrong_equality() -> None:
    found = homework(L2.replace(r"(D^{\top} B)_{kl}", r"2 (D^{\top} B)_{kl}"), LAYER)
    assert [e.status for e in found.equalities] == ["proved"] * 5 + ["refuted"]
    wrong = found.first_wrong
    assert wrong is not None and wrong.latex.endswith(r"= 2 (D^{\top} B)_{kl}")
    assert wrong.text == "sum[i](D.T[k, i] * B[i, l]) == 2 * (D.T @ B)[k, l]"
    assert wrong.remarks == (r"\text{matrix product}",)
    assert "equality 6, line 9, column 6: refuted" in str(found)
    assert "counted from 1" in str(found)
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


def test_a_counterexample_names_its_indices() -> None:
    wrong = homework(r"\frac{\partial A_{ij}}{\partial W_{kl}} = D_{ik}", LAYER).first_wrong
    assert wrong is not None
    at = dict(zip(wrong.indices(), wrong.counterexample.entry, strict=True))
    assert set(at) == {"i", "j", "k", "l"}
    assert at["j"] != at["l"]  # that is where the δ is missed
    assert wrong.one_sided == "j and l are free on the left only"


def test_indices_that_are_free_on_either_side_only() -> None:
    wrong = homework(r"\frac{\partial E}{\partial W_{kl}} = \sum_i D_{ik} B_{ij}", LAYER).first_wrong
    assert wrong is not None and wrong.status == "rejected"
    assert "l is free on the left only, j is free on the right only" in wrong.reason


def test_a_true_equality_may_lose_an_index() -> None:
    assert (
        homework(
            r"\sum_k \delta_{jk} x_i y_k = x_i y_j \\ \frac{\partial x_i}{\partial y_j} = 0", "x: (n,); y: (n,)"
        ).status
        == "proved"
    )


def test_lines_that_are_not_decided_are_not_called_wrong() -> None:
    found = homework(r"\sum_{i=2}^{n} x_i = \sum_i x_i - c", "x: (n,); c: ()")
    assert (found.status, found.first_wrong) == ("undecided", None)
    assert "a part of its axis" in found.equalities[0].reason


def test_what_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(ParseError) as refused:
        homework("\\frac{\\partial E}{\\partial W_{kl}}\n  &= \\sum_i D_{ik} C_{il}", LAYER, source="homework.tex")
    assert refused.value.place is not None
    assert refused.value.place.named() == "homework.tex, line 2, column 20"
    assert "C is not declared" in str(refused.value)


def test_declarations_are_read_as_statements() -> None:
    with pytest.raises(SymderivError):
        homework("a = b", "a: (n")
    assert homework("a = a", ["a: ()", "b: ()"]).status == "proved"


# -- the same in `verify`


def test_verify_reads_a_claim_in_latex() -> None:
    shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}
    f = "norm(X @ w - y)**2"
    assert symderiv.verify(f, "w", r"2 X^\top (X w - y)", shapes=shapes, latex=True).status == "proved"
    assert symderiv.verify(f, "w", r"X^\top (X w - y)", shapes=shapes, latex=True).status == "refuted"
    assert symderiv.verify(f, "w", "0", shapes=shapes, latex=True).status == "refuted"
    assert symderiv.verify(f, ["w", "w"], r"2 X^\top X", shapes=shapes, latex=True).status == "proved"
    assert symderiv.verify("X @ w", "w", "X", shapes=shapes, latex=True).status == "proved"
    assert symderiv.verify("w", "w", "I", shapes={"w": ("p",)}, latex=True).status == "proved"


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (r"2 (X w - y)^\top X", "one side is a row"),
        (r"a = b", "no equation"),
        (r"\sum_i X_{ij}", "entries cannot be taken here"),
        (r"2 X^\top Z", "Z is not declared"),
    ],
)
def test_claims_that_are_no_expressions(claim: str, message: str) -> None:
    shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "a": (), "b": ()}
    with pytest.raises(SymderivError, match=message):
        symderiv.verify("norm(X @ w - y)**2", "w", claim, shapes=shapes, latex=True)
