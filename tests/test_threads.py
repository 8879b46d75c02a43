"""Threads share the memos of the engine, and come to the same results."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from symderiv import derive

PROBLEMS: list[tuple[str, Sequence[str], dict[str, tuple[str, ...]]]] = [
    ("norm(X @ w - y)**2", ["w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}),
    ("sum(log(1 + exp(-y * (X @ w))))", ["w", "w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}),
    ("logdet(K) + y @ inv(K) @ y", ["K"], {"K": ("n", "n"), "y": ("n",)}),
    ("norm(T - U @ V.T)**2", ["U", "V"], {"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")}),
    ("sum(softmax(tanh(A @ X), 0) * Y)", ["A"], {"A": ("m", "n"), "X": ("n", "p"), "Y": ("m", "p")}),
    ("trace(X @ A @ X.T @ B) / norm(X)", ["X"], {"X": ("n", "n"), "A": ("n", "n"), "B": ("n", "n")}),
]  # fmt: skip


@pytest.fixture
def _turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def told(number: int) -> tuple[str, str, str]:
    text, wrt, shapes = PROBLEMS[number]
    d = derive(text, list(wrt), shapes=shapes)
    d.proof.check()
    return str(d.result), d.to_numpy(value=True), d.proof.to_latex()


@pytest.mark.usefixtures("_turns_often")
def test_threads_come_to_the_same_results() -> None:
    numbers = range(len(PROBLEMS))
    with ThreadPoolExecutor(3) as pool:
        asked = [*numbers, *reversed(numbers), *numbers]
        found = list(pool.map(told, asked))
    alone = [told(number) for number in numbers]
    assert found == [alone[number] for number in asked]
