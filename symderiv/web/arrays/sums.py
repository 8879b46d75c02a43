"""Sums of products, on shapes and flat lists: what `einsum` and `@` are made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from symderiv.web.arrays.shapes import Shape, offsets, steps

Places = tuple[list[Any], tuple[int, ...], tuple[int, ...]]


def summed(spec: str, several: Sequence[tuple[list[Any], Shape]], zero: Any) -> tuple[list[Any], Shape]:
    """Return entries and shape of an einsum; the axes under an ellipsis are broadcast.

    >>> summed("ij,j->i", [([1, 2, 3, 4], (2, 2)), ([1, 10], (2,))], 0)
    ([21, 43], (2,))
    """
    inputs, _, output = spec.replace(" ", "").partition("->")
    words = _letters(inputs.split(","), [shape for _, shape in several])
    lead = max(
        (word[: len(word) - len(s.replace("...", ""))] for word, s in zip(words, inputs.split(","), strict=True)),
        key=len,
    )
    wanted = [*(lead if "..." in output else ""), *output.replace("...", "")]
    sizes: dict[str, int] = {}
    for word, (_, shape) in zip(words, several, strict=True):
        for letter, size in zip(word, shape, strict=True):
            if size != 1 and sizes.get(letter, 1) not in (1, size):
                raise ValueError(f"sizes of {letter!r} do not agree in {spec}")
            sizes[letter] = max(sizes.get(letter, 1), size)
    gone = [c for c in sizes if c not in wanted]
    shape, inner = tuple(sizes[c] for c in wanted), tuple(sizes[c] for c in gone)
    places = []
    for word, (data, own) in zip(words, several, strict=True):
        stride = dict.fromkeys(sizes, 0)
        for letter, size, step in zip(word, own, steps(own), strict=True):
            stride[letter] += step if size != 1 else 0
        outer = offsets(shape, tuple(stride[c] for c in wanted))
        places.append((data, outer, offsets(inner, tuple(stride[c] for c in gone))))
    return _sums(places, zero), shape


def _letters(subscripts: Sequence[str], shapes: Sequence[Shape]) -> list[str]:
    """Return the letters of each array, those of an ellipsis counted from its last axis."""
    words = []
    for s, shape in zip(subscripts, shapes, strict=True):
        own = s.replace("...", "")
        hidden = range(len(shape) - len(own), 0, -1) if "..." in s else ()
        words.append("".join(chr(0x3B0 + k) for k in hidden) + own)
    return words


def _sums(places: Sequence[Places], zero: Any) -> list[Any]:
    if len(places) == 2:
        (a, outer_a, inner_a), (b, outer_b, inner_b) = places
        both = list(zip(inner_a, inner_b, strict=True))
        return [sum((a[i + k] * b[j + m] for k, m in both), zero) for i, j in zip(outer_a, outer_b, strict=True)]
    count, inner = len(places[0][1]), len(places[0][2])
    return [
        sum((prod(data[outer[k] + within[m]] for data, outer, within in places) for m in range(inner)), zero)
        for k in range(count)
    ]
