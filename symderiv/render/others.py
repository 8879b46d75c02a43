r"""The product of all entries but some in LaTeX: `\prod_{k \ne i} x_{k}`.

Where more than one entry is left out, the product counts only for different ones: `\prod_{k \ne i, j} x_{k}` comes
with the factor `1 - \delta_{ij}`.  An entry of an array with several axes is named by all of those that the product
runs over: `\prod_{(p,q) \ne (i,j)} A_{pq}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from itertools import combinations, count

FREE, LETTERS = "ijklmnpqrstuvw", "klpqrstuvwijmn"
Labels = Sequence[str]
HEAD = re.compile(r"prodexcept\((.*?)((?:, \d+)+)(?:, order (\d+))?\)")


def named(head: str) -> tuple[str, tuple[int, ...], int] | None:
    """Return what the name of a head of a proof tells: the argument, the axes, how many entries are left out.

    >>> named("prodexcept(softmax(A, 1), 0, 1, order 2)"), named("prod(x, 0)")
    (('softmax(A, 1)', (0, 1), 2), None)
    """
    match = HEAD.fullmatch(head)
    if match is None:
        return None
    argument, axes, order = match.groups()
    return argument, tuple(int(a) for a in axes.split(", ")[1:]), int(order or 1)


def places(labels: Labels, rank: int, over: Sequence[int]) -> list[Labels]:
    """Return the labels of each entry that is left out: the first stand at axes of the argument, the others behind."""
    later = range(rank, len(labels), len(over))
    return [[labels[a] for a in over], *(labels[k : k + len(over)] for k in later)]


def product(
    labels: Labels,
    rank: int,
    over: Sequence[int],
    argument: Callable[[Labels], str],
    subscript: Callable[[Labels], str],
    taken: Container[str] = (),
) -> str:
    r"""Return the product with its axes at labels; `argument` writes an entry of what is multiplied.

    Its running letters are none of the labels and none of those taken; where none is left, one gets a prime.

    >>> product("j", 1, (0,), lambda at: "x_{" + at[0] + "}", lambda at: at[0], LETTERS)
    "\\prod_{k' \\ne j} x_{k'}"
    """
    free = (c for n in count() for c in (a + "'" * n for a in LETTERS) if c not in labels and c not in taken)
    running = {a: next(free) for a in over}
    left_out = places(labels, rank, over)

    def entry(place: Labels) -> str:
        return subscript(place) if len(place) == 1 else f"({','.join(subscript([x]) for x in place)})"

    apart = ""
    for a, b in combinations(left_out, 2):
        equal = r"\,".join(rf"\delta_{{{subscript(pair)}}}" for pair in zip(a, b, strict=True))
        apart += rf"(1 - {equal})\,"
    under = rf"{entry(list(running.values()))} \ne {', '.join(map(entry, left_out))}"
    return rf"{apart}\prod_{{{under}}} {argument([running.get(a, x) for a, x in enumerate(labels[:rank])])}"
