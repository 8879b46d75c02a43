"""Matrices of blocks: their shapes, their transposes, claims about them block by block, their code."""

from __future__ import annotations

import numpy as np
import pytest
from networks import NAMED_LAYERS

from symderiv.errors import SymderivError
from symderiv.render.latex import Latex
from symderiv.sheet import Sheet
from symderiv.statements.blocks import Blockwise
from symderiv.tensor.text import to_text

BLOCKS = """\
H11 = reshape(diff(E, w1, w1), (J * I, J * I))
H12 = reshape(diff(E, w1, w2), (J * I, K * J))
H22 = reshape(diff(E, w2, w2), (K * J, K * J))
H = block([[H11, H12], [H12.T, H22]])
"""
NETWORK = NAMED_LAYERS + BLOCKS


def test_a_hessian_of_blocks_is_symmetric() -> None:
    (claim,) = Sheet(NETWORK + 'assert H.T == H, "H23 b"').claims
    assert (claim.status, claim.basis) == ("proved", "kernel")
    assert isinstance(claim.proof, Blockwise)
    assert len(claim.proof.proofs) == 2  # the blocks off the diagonal are equal by their definition


def test_what_is_not_symmetric_is_refuted() -> None:
    text = NETWORK.replace("[H12.T, H22]", "[2 * H12.T, H22]")
    (claim,) = Sheet(text + "assert not (H.T == H)").claims
    assert claim.status == "refuted"
    assert claim.counterexample is not None


def test_the_transpose_has_its_blocks_exchanged() -> None:
    declared = "A: (n, m)\nB: (n, k)\nC: (l, m)\nD: (l, k)\n"
    claims = Sheet(
        declared + "assert block([[A, B], [C, D]]).T == block([[A.T, C.T], [B.T, D.T]])\n"
        "assert not (block([[A, B], [C, D]]).T == block([[A.T, 2 * C.T], [B.T, D.T]]))"
    ).claims
    assert [c.status for c in claims] == ["proved", "refuted"]


def test_a_hessian_of_blocks_is_that_of_all_weights_at_once() -> None:
    (claim,) = Sheet(NETWORK + 'code(H, label="H23 c")').claims
    assert claim.status == "agrees"
    assert claim.code is not None
    J, I, K = 3, 2, 4
    rng = np.random.default_rng(0)
    x, w1, w2 = rng.standard_normal(I), rng.standard_normal((J, I)), rng.standard_normal((K, J))
    C = rng.standard_normal((K, K))

    def value(v: object) -> complex:
        v = np.asarray(v)
        y = v[J * I :].reshape(K, J) @ np.sin(v[: J * I].reshape(J, I) @ x)
        return complex(y @ C @ y / 2)

    symmetric = (C + C.T) / 2
    found = claim.code.compile()(
        x=x, w1=w1, w2=w2, h=np.sin, dh=np.cos, d2h=lambda u: -np.sin(u), dloss=lambda y: symmetric @ y,
        d2loss=lambda y: symmetric,
    )  # fmt: skip
    v = np.concatenate([w1.ravel(), w2.ravel()])
    wanted = np.zeros((v.size, v.size))
    for k, row in enumerate(np.eye(v.size)):
        for j, column in enumerate(np.eye(v.size)):
            at = [value(v + s * 1e-3 * row + 1e-30j * column).imag / 1e-30 for s in (-3, -2, -1, 1, 2, 3)]
            wanted[k, j] = np.dot(at, [-1, 9, -45, 45, -9, 1]) / 60e-3
    assert np.abs(found - wanted).max() <= 1e-8 * np.abs(wanted).max()
    assert np.abs(found - found.T).max() <= 1e-13 * np.abs(found).max()


@pytest.mark.parametrize(
    "text",
    [
        "block([[A, B], [A]])", "block([A, B])", "block([[A], [B]])", "block([[v]])", "block(A)", "block([[]])",
        "diff(sum(block([[A, A]])), A)", "trace(block([[A, B], [B.T, A]]) @ block([[A, B], [B.T, A]]))",
    ],
)  # fmt: skip
def test_misuse_is_refused(text: str) -> None:
    with pytest.raises(SymderivError):
        Sheet(f"A: (n, n)\nB: (n, m)\nv: (n,)\nf = {text}\nassert f == f")


def test_blocks_are_written_as_they_are_read() -> None:
    sheet = Sheet("A: (n, n)\nB: (n, m)\nH = block([[A, B], [B.T, 2 * eye(m)]])")
    body = sheet.names.scope.names["H"].args[0]
    assert to_text(body) == "block([[A, B], [B.T, 2 * eye(m)]])"
    latex = Latex({}).matrix(body)
    assert latex == r"\begin{pmatrix} A & B \\ B^{\top} & 2\,I_{m} \end{pmatrix}"
