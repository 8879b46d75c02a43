"""Canonical labels do not depend on the order of the factors nor on the names of the labels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.index.labelling import canonical, standings

PLAIN, SYMMETRIC = ((0, 1),), ((0, 1), (1, 0))
CYCLE = [("A", (0, 1), PLAIN), ("A", (1, 2), PLAIN), ("A", (2, 3), PLAIN), ("A", (3, 0), PLAIN)]
PRODUCTS = {
    "a chain": (
        [("A", (0, 2), PLAIN), ("B", (2, 3), PLAIN), ("A", (3, 1), PLAIN)],
        {0: "a0", 1: "a1", 2: "b", 3: "b"},
    ),
    "a cycle": (CYCLE, dict.fromkeys(range(4), "b")),
    "symmetric factors": ([("S", (0, 1), SYMMETRIC), ("S", (2, 1), SYMMETRIC)], dict.fromkeys(range(3), "b")),
    "equal factors": ([("v", (k,), ((0,),)) for k in range(4)], dict.fromkeys(range(4), "b")),
    "two cycles": (
        [("A", (0, 1), PLAIN), ("A", (1, 0), PLAIN), ("A", (2, 3), PLAIN), ("A", (3, 2), PLAIN)],
        dict.fromkeys(range(4), "b"),
    ),
    "two pairs": ([("A", (0, 2), PLAIN), ("A", (1, 3), PLAIN)], {0: "a", 1: "a", 2: "b", 3: "b"}),
    "two alike before another": (
        [("v", (0,), ((0,),)), ("v", (1,), ((0,),)), ("u", (2,), ((0,),))],
        {0: "a", 1: "a", 2: "b"},
    ),
    "symmetric factors with different ends": (
        [("S", (0, 2), SYMMETRIC), ("S", (1, 3), SYMMETRIC)],
        {0: "a", 1: "b", 2: "c", 3: "c"},
    ),
    "a symmetric factor beside two others": (
        [("S", (0, 1), SYMMETRIC), ("T", (0,), ((0,),)), ("U", (1,), ((0,),))],
        dict.fromkeys(range(2), "b"),
    ),
    "cycles of two and of three": (
        [("A", ends, PLAIN) for ends in ((0, 1), (1, 0), (2, 3), (3, 4), (4, 2))],
        dict.fromkeys(range(5), "b"),
    ),
    "a star": ([("A", (0, k), PLAIN) for k in range(1, 5)], dict.fromkeys(range(5), "b")),
}


def form(items, colours):
    """Return the product as it is written with its canonical names."""
    names, order = canonical(items, colours)
    assert sorted(names.values()) == list(range(len(colours)))
    by_name = [colours[label] for label in sorted(names, key=names.__getitem__)]
    assert by_name == sorted(by_name)
    written = [(items[k][0], min(tuple(names[items[k][1][s]] for s in perm) for perm in items[k][2])) for k in order]
    assert written == sorted(written)
    return written


@pytest.mark.parametrize("case", PRODUCTS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_order_and_names_do_not_matter(case, data):
    items, colours = PRODUCTS[case]
    rename = dict(zip(colours, data.draw(st.permutations(range(10, 10 + len(colours)))), strict=True))
    flip = [data.draw(st.sampled_from(perms)) for *_, perms in items]
    moved = [
        (key, tuple(rename[labels[s]] for s in perm), perms)
        for (key, labels, perms), perm in zip(items, flip, strict=True)
    ]
    moved = data.draw(st.permutations(moved))
    listed = data.draw(st.permutations(list(colours)))
    assert form(moved, {rename[k]: colours[k] for k in listed}) == form(items, colours)


def test_smaller_colours_get_smaller_numbers():
    names, _ = canonical([("A", (5, 3), PLAIN), ("A", (3, 9), PLAIN)], {5: "0", 3: "2", 9: "1"})
    assert names == {5: 0, 9: 1, 3: 2}


def test_a_cycle_of_four_is_not_two_of_two():
    assert form(*PRODUCTS["a cycle"]) != form(*PRODUCTS["two cycles"])


def test_twelve_equal_factors_are_not_tried_in_every_order():
    names, _ = canonical([("v", (k,), ((0,),)) for k in range(12)], dict.fromkeys(range(12), "b"))
    assert sorted(names.values()) == list(range(12))


def test_labels_that_can_be_exchanged_stand_alike():
    items, _ = PRODUCTS["symmetric factors"]
    ends, middle = standings(items, [0, 2]), standings(items, [1])
    assert ends[0] == ends[1]
    assert middle[0] != ends[0]
    first, last = standings(PRODUCTS["a chain"][0], [0, 1])
    assert first != last


@pytest.mark.parametrize("case", PRODUCTS)
def test_how_labels_stand_does_not_depend_on_names_and_order(case):
    items, colours = PRODUCTS[case]
    renamed = [(key, tuple(label + 10 for label in labels), perms) for key, labels, perms in reversed(items)]
    assert standings(items, list(colours)) == standings(renamed, [label + 10 for label in colours])
