"""Python's parser in threads: garbage that is collected while it works lets another thread in."""

from __future__ import annotations

import ast
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from symderiv import trees

TEXT = "f(" * 30 + "x" + ")" * 30


class Garbage:
    """Is only found by looking for circles, and then gives other threads a turn."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0)


@pytest.fixture
def _collecting() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(5)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_collecting")
def test_two_threads_may_parse_at_once() -> None:
    def told(_: int) -> set[str]:
        found = set()
        for _ in range(100):
            Garbage()
            found |= {ast.dump(trees.expression(TEXT)), ast.dump(trees.module(TEXT).body[0].value)}  # type: ignore[attr-defined]
        return found

    with ThreadPoolExecutor(2) as pool:
        assert len(set.union(*pool.map(told, range(2)))) == 1
