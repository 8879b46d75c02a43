"""The arrays that stand in for NumPy in a browser agree with NumPy."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as real
import pytest

from symderiv.errors import UnsupportedError
from symderiv.web.answers import answer
from symderiv.web.arrays import module
from symderiv.web.arrays.array import Array

own = module()
RNG = real.random.default_rng(7)
SAMPLES = {
    "F": RNG.standard_normal((3, 4)),
    "G": RNG.standard_normal((4,)),
    "H": RNG.standard_normal((2, 3, 1)),
    "S": RNG.standard_normal((2, 3, 3)),
    "I": RNG.integers(-9, 9, (3, 4)),
    "J": RNG.integers(1, 97, (2, 3, 3)),
    "B": RNG.random((3, 4)) < 0.5,
    "C": RNG.standard_normal((3, 3)) + 1j * RNG.standard_normal((3, 3)),
    "Z": real.array(2.5),
    "N": real.array([1.0, real.nan, -real.inf, 0.0, -2.0, real.inf]),
    "P": RNG.random((3, 4)) + 0.1,
    "U": RNG.integers(0, 2**63, (5,)).astype(real.uint64),
}


def mine(value):
    kinds = {"b": bool, "i": int, "u": own.uint64, "f": float, "c": complex}
    return own.array(value.tolist(), dtype=kinds[value.dtype.kind])


def test_samples_arrive_as_they_are():
    for name, value in SAMPLES.items():
        assert_same(mine(value), value, name)


def assert_same(found, wanted, what=""):
    if isinstance(wanted, (tuple, list)):
        assert len(found) == len(wanted), what
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other, what)
        return
    wanted = real.asarray(wanted)
    found = own.asarray(found)
    assert found.shape == wanted.shape, what
    kind = wanted.dtype.kind
    assert found.kind == kind, f"{what}: {found.kind} for {kind}"
    if kind in "fc":
        assert real.allclose(real.array(found.tolist()), wanted, rtol=1e-12, atol=1e-13, equal_nan=True), what
    else:
        assert real.array_equal(real.array(found.tolist(), dtype=wanted.dtype).reshape(wanted.shape), wanted), what


EXPRESSIONS = """
F + G; F * G - 2; G / F; 3 - F; 1 / F; F**2; F**-1; P**0.5; P**F; -F; abs(F); abs(I); I % 7; I // 4; -I % 5
I * F; I + 1.5; I * True
B & ~B; B | (F > 0); ~B; I & 3; I >> 1; I << 2; 2 * B; B + B; (F > 0) * F; F >= G; I == 3; I != 3; F <= 0
C * F[:, :3]; C / 2; abs(C)
C.real; C.imag; F.imag; F.T; S.T; F.shape; F.ndim; F.size; len(F); Z + 1; Z * F; float(Z); int(Z); bool(Z)
F[0]; F[-1, 2]; F[1:, ::2]; F[..., 1]; F[:, None]; F[None, 0, :]; S[..., 0, 0]; S[:, 1][..., None]; F[B]
F[[0, 2]]; F[:, [1, 3, 1]]
F[I[0, :2] % 3]; F[[0, 1], [2, 3]]; G[::-1]; F[B.any(axis=1)]; S[:, [0, 2]]; F[I % 3, 1]; J[1::2, 0]
F[real_int(1)]; F[2:0:-1]
F.sum(); F.sum(axis=0); F.sum(axis=1, keepdims=True); S.sum(axis=(1, 2)); B.sum(axis=0); I.sum(axis=-1)
F.prod(axis=1); S.prod(axis=(0, 2))
F.max(); F.max(axis=1); N.max(); F.max(axis=0, keepdims=True); F.min(axis=1); F[:0].max(axis=0, initial=0.0)
B.any(); B.all(axis=1)
F.argmax(); F.argmax(axis=1); N.argmax(); F.argmax(axis=0); B.nonzero(); F.ravel(); F.reshape(2, 6)
F.reshape((4, -1)); G.reshape(-1, 1)
F.transpose(1, 0); S.transpose((2, 0, 1)); S.swapaxes(-1, -2); H.squeeze(2); H.squeeze(); F.copy()
I.astype(float); F.astype(int); B.astype(int)
F.round(1); G.tolist(); F @ G; F @ F.T; S @ S; S @ S[0]; G @ F.T; G @ G; S[:, 0] @ F[:, :3]; G.argsort()
U + U; U * U; U ^ (U >> np.uint64(30)); U % np.uint64(97); (U % np.uint64(97)).astype(np.int64) + 1
U.astype(np.int64)
np.zeros((2, 3)); np.zeros(3, dtype=int); np.ones(()); np.full((2,), 7); np.full((1, 1), 2.5); np.eye(3)
np.eye(2, dtype=int); np.arange(5)
np.arange(2, 5, dtype=float); np.linspace(-1, 2, 7); np.zeros_like(I); np.ones_like(F)
np.array([[1, 2], [3, 4]]); np.array([F[0], G]); np.array([1, 2.5])
np.indices((2, 3)); np.array([B[0], B[1]]); np.asarray([1, 2], dtype=float); np.array(3).shape; np.asarray(True)
np.where(B, F, 0.0); np.where(F > 0, G, F); np.where(B, 1, -1); np.where(B, F, np.nan); np.where(True, F, G)
np.where(B, I, F)
np.broadcast_to(G, (3, 4)); np.broadcast_to(H, (2, 3, 4)); np.broadcast_arrays(F, G); np.moveaxis(S, 0, -1)
np.moveaxis(S, (0, 1), (-2, -1))
np.swapaxes(S, 0, 2); np.expand_dims(F, 1); np.expand_dims(F, -1); np.squeeze(H, 2)
np.concatenate([F, I], axis=0); np.concatenate([S, H], axis=-1)
np.concatenate([F, F[:, :1]], axis=1); np.pad(F, [(0, 1), (2, 0)]); np.pad(J, [(0, 0), (1, 1), (0, 2)])
np.resize(G, 7); np.take(S, 1, axis=2)
np.diagonal(S, axis1=1, axis2=2); np.diagonal(S, axis1=-2, axis2=-1); np.diagonal(J, axis1=0, axis2=2)
np.trace(S, axis1=-2, axis2=-1); np.trace(F[:, :3])
np.diag(G); np.diag(F[:, :3]); np.triu(S); np.triu(F, 1); np.tril(J[0], -1); np.unravel_index(7, (3, 4))
np.ravel(F); np.reshape(F, (6, 2)); np.shape(F)
np.einsum("ij,j->i", F, G); np.einsum("...i,...j->...ij", G, F); np.einsum("...iq,...qj->...ij", S, S[:1])
np.einsum("ij,...jk->...ik", F[:, :3], S)
np.einsum("...ke,k->...e", F, G[:3]); np.einsum("...i,...i->...", F, G); np.einsum("ij,jk,kl->il", F.T, F, F.T)
np.einsum("...iq,q...->...i", F, G)
np.tensordot(F, G, 1); np.tensordot(S[0], S[1], 2); np.transpose(S, (1, 0, 2)); np.transpose(F)
np.exp(F); np.exp(C); np.sqrt(P); np.sqrt(F); np.sqrt(C); np.log(P); np.log(C); np.sin(F); np.cos(C); np.tanh(F)
np.tanh(C); np.sinh(F); np.arcsinh(F)
np.arcsin(F); np.arctan(F); np.arctan(C); np.log1p(P); np.expm1(F); np.floor(F); np.rint(F * 3); np.sign(F)
np.sign(I); np.sign(N); np.abs(C); np.tan(F)
np.isnan(N); np.isfinite(N); np.isinf(N); np.isfinite(C); np.iscomplexobj(C); np.iscomplexobj(F)
np.nan_to_num(N); np.nan_to_num(F); np.round(F, 2)
np.maximum(F, G); np.minimum(F, 0.0); np.clip(F, -0.5, 0.5); np.logaddexp(F, G); np.logaddexp(F, 0)
np.minimum(I, 3); np.square(F)
np.sum(F); np.prod((2, 3, 4)); np.max(F); np.all(B); np.any(B, axis=0); np.argmax(F); np.argmax(G)
np.cumsum(I[0]); np.diff(G); np.sort(G); np.mean(F, axis=0)
np.argsort(I[0], kind="stable"); np.unique(I); np.searchsorted(np.sort(G), F[0]); np.nonzero(B)
np.nonzero(F[0] > 0)[0]; np.logical_and.reduce([B, F > 0, I > 0])
np.linalg.solve(S, H); np.linalg.inv(S); np.linalg.inv(C); np.linalg.det(S); np.linalg.det(C); np.linalg.det(J)
1e200 * P * 1e200; np.exp(1e3 * P); 0.0 * N; N - N; 1 / (0 * P); F / 0.0; (0 * F) / 0.0; P ** 500 * 1e300
np.log(0 * P); np.log(-P); F % 0.0
"""
CASES = [text.strip() for line in EXPRESSIONS.strip().splitlines() for text in line.split(";")]


@pytest.mark.parametrize("text", CASES)
def test_what_it_computes_is_what_numpy_computes(text):
    code = compile(text, "case", "eval")  # our own texts, above
    with real.errstate(all="ignore"):
        wanted = eval(code, {"np": real, "real_int": int, **SAMPLES})
        found = eval(code, {"np": own, "real_int": int, **{name: mine(value) for name, value in SAMPLES.items()}})
    assert_same(found, wanted, text)


ASSIGNMENTS = [
    "A[0] = 1",
    "A[..., 1] = A[..., 0]",
    "A[:, 2] = 0.5",
    "A[1::2, 0] *= -1",
    "A[A > 0] = 0",
    "A[[0, 2]] = A[[2, 0]]",
    "A[1, 2] = 9",
    "A[:, 1:3] = A[:, :1]",
    "A[:2][0] = 5",
    "A += 1",
    "A -= A",
    "A[[0, 1], [2, 3]] = 7",
]


@pytest.mark.parametrize("text", ASSIGNMENTS)
def test_entries_are_put_where_numpy_puts_them(text):
    """But for views: what is written to a part of a part stays there, and nobody relies on more."""
    if text == "A[:2][0] = 5":
        A = mine(SAMPLES["F"])
        exec(text)
        assert_same(A, SAMPLES["F"])
        return
    theirs, ours = {"A": SAMPLES["F"].copy()}, {"A": mine(SAMPLES["F"])}
    exec(text, theirs)
    exec(text, ours)
    assert_same(ours["A"], theirs["A"], text)


def test_condition_numbers_are_of_the_right_size():
    S = SAMPLES["S"]
    found, wanted = real.array(own.linalg.cond(mine(S)).tolist()), real.linalg.cond(S)
    assert ((found >= wanted / 3) & (found <= 3 * wanted)).all()
    assert own.linalg.cond(own.zeros((2, 2))).item() == float("inf")


def test_random_numbers_depend_on_their_seed_alone():
    def drawn(seed):
        g = own.random.default_rng(seed)
        return [
            g.integers(0, 97, (2, 3)).tolist(),
            g.standard_normal((4,)).tolist(),
            g.uniform(-1, 1, 3).tolist(),
            g.random((2,)).tolist(),
        ]

    assert drawn([1, 2]) == drawn([1, 2]) != drawn([1, 3])
    assert all(0 <= v < 97 for row in drawn([5])[0] for v in row)


def test_what_is_not_here_is_refused_by_name():
    with pytest.raises(UnsupportedError, match=r"numpy\.fft"):
        own.fft  # noqa: B018
    assert getattr(own, "fft", None) is None
    with pytest.raises(ValueError, match="do not fit"):
        mine(SAMPLES["F"]) + mine(SAMPLES["F"]).T


def test_single_entries_serve_as_numbers():
    x = mine(real.array(3))
    assert isinstance(x, Array)
    assert [10, 20, 30, 40][x] == 40 and {x: 1}[3] == 1 and f"{x}" == "3" and list(range(x)) == [0, 1, 2]


CLAIMS = [
    ("norm(X @ w - y)**2", ["w"], "X.T @ (X @ w - y)"),
    ("norm(X @ w - y)**2", ["w"], "2 * X.T @ (X @ w - y)"),
    ("x @ A @ x", ["x"], "2 * A @ x"),
    ("sum(sin(x) * cos(x))", ["x"], "cos(2 * x)"),
    ("sum(abs(x))", ["x"], "sign(x)"),
    ("logdet(S)", ["S"], "inv(S)"),
    ("sum(sqrt(x**2 + 1))", ["x"], "x * (x**2 + 1)**(-0.5)"),
    ("sum(exp(x) / (1 + exp(x)))", ["x"], "sigmoid(x) - sigmoid(x)**2"),
    ("sum(log(1 + exp(-y * (X @ w))))", ["w"], "-X.T @ (y * sigmoid(y * (X @ w)))"),
    ("sum(maximum(x, 0) * x)", ["x"], "2 * maximum(x, 0)"),
]


def test_claims_are_decided_as_with_numpy():
    """In a process that has no NumPy: the same verdicts, counterexamples where there are some."""
    script = """
import json, sys
from symderiv.web.arrays import stand_in
stand_in()
from symderiv.web.answers import answer
print(json.dumps([answer(q) for q in json.loads(sys.argv[1])]), "numpy.linalg" in sys.modules)
"""
    asked = [{"ask": "verify", "expr": f, "wrt": wrt, "claim": claim} for f, wrt, claim in CLAIMS]
    said = subprocess.run([sys.executable, "-c", script, json.dumps(asked)], capture_output=True, text=True, check=True)
    found, loaded = said.stdout.rsplit(" ", 1)
    assert loaded.strip() == "False"
    for without, question in zip(json.loads(found), asked, strict=True):
        with_numpy = answer(question)
        assert (without["status"], without["basis"]) == (with_numpy["status"], with_numpy["basis"]), question
        if without["status"] == "refuted":
            example = without["counterexample"]
            assert abs(float(example["left"]) - float(example["right"])) > 1e-6
            assert example["sizes"] == with_numpy["counterexample"]["sizes"]
