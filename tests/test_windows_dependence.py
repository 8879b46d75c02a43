"""What names what, with symbolic labels, against the graph written out at T = 1 … 5."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
import recurrences
import sympy
from mutations import single
from unrolled_graph import Node, acted_on, graph

from symderiv import dims
from symderiv.families import Bounds, Range, instances, shifted
from symderiv.statements.block import Names, read_block
from symderiv.windows.dependence import Dependence, Key, Parent, UndecidedError, agree, key_named
from symderiv.windows.reach import reach_of

T, t, s = (dims.symbol(name) for name in ("T", "t", "s"))
ONE = sympy.Integer(1)

SUMS = """
for t in range(1, T + 1):
    x[t]: (n,)
    a[t] = 2 * x[t]
    b[t] = a[t] + x[1]
c = sum(a[s] for s in range(1, T + 1))
d = sum(b[s - 1] for s in range(2, T + 1))
e = sum(sum(x[r] for r in range(s, T + 1)) for s in range(1, T + 1))
"""
AROUND_THE_CORNER = """
for t in range(0, T + 1):
    x[t]: (n,)
for t in range(0, T + 1):
    a[t] = x[T - t]
    b[t] = a[t] + x[T]
"""


def without_claims(text: str) -> str:
    """Return the declarations and definitions of a block."""
    return "\n".join(ast.unparse(s) for s in ast.parse(text).body if not any(single(s)))


def read(text: str) -> Names:
    """Return the names of a block."""
    names = Names()
    read_block(without_claims(text), names)
    return names


# block, family, label, and the range of t in which its parents can be told
CASES: list[tuple[str, str, sympy.Expr, tuple[sympy.Expr, sympy.Expr]]] = [
    (recurrences.GENERAL, "h", t, (ONE, T - 1)),
    (recurrences.GENERAL, "h", T, (ONE, ONE)),
    (recurrences.GENERAL, "h", sympy.Integer(0), (ONE, ONE)),
    (recurrences.GENERAL, "x", t, (ONE, T)),
    (recurrences.GENERAL, "o", t, (ONE, T)),
    (recurrences.GENERAL, "ell", t, (ONE, T)),
    (recurrences.TANH, "a", t, (ONE, T)),
    (recurrences.TANH, "p", t, (ONE, T)),
    (recurrences.TWO_BACK, "h", t, (sympy.Integer(2), T - 2)),
    (recurrences.TWO_BACK, "h", T - 1, (ONE, ONE)),
    (recurrences.FEEDBACK, "h", t, (ONE, T - 1)),
    (recurrences.FEEDBACK, "o", t, (ONE, T - 1)),
    (recurrences.FEEDBACK, "o", sympy.Integer(0), (ONE, ONE)),
    (recurrences.BACKWARD, "g", t, (ONE, T)),
    (recurrences.SKIP, "h", t, (sympy.Integer(0), T - 1)),
    (SUMS, "a", t, (ONE, T)),
    (SUMS, "b", t, (ONE, T - 1)),
    (SUMS, "b", T, (ONE, ONE)),
    (AROUND_THE_CORNER, "x", t, (sympy.Integer(0), T - 1)),
    (AROUND_THE_CORNER, "a", t, (sympy.Integer(0), T)),
]


def at(parent: Parent, values: dict[sympy.Expr, sympy.Expr]) -> Iterator[Node]:
    """Yield the members that a parent stands for, with values."""
    ranges = [] if parent.range is None else [parent.range]
    for one in instances(ranges, values):
        label = parent.key.label
        yield parent.key.name, None if label is None else int(shifted(label, one))


@pytest.mark.parametrize("text, family, label, ends", CASES)
def test_the_parents_of_a_member_are_those_in_the_graph_written_out(text, family, label, ends) -> None:
    names = read(text)
    range_ = Range("t", *ends)
    found = Dependence(names).parents(Key(family, label), Bounds((range_,), names.families.least))
    tried = 0
    for length in range(names.families.least.get("T", 1), 6):
        edges = graph(without_claims(text), {"T": length})
        for one in instances([range_], {T: sympy.Integer(length)}):
            node = (family, int(shifted(label, one)))
            wanted = {parent for parent, named in edges.items() if node in named}
            assert {member for parent in found for member in at(parent, one)} == wanted
            tried += 1
    assert tried


@pytest.mark.parametrize(
    "name, text", [("b", recurrences.TANH), ("W", recurrences.TIED), ("theta", recurrences.GENERAL)]
)
def test_the_parents_of_a_parameter_are_all_members_that_name_it(name: str, text: str) -> None:
    names = read(text)
    found = Dependence(names).parents(Key(name), Bounds((), names.families.least))
    for length in range(names.families.least.get("T", 1), 6):
        edges = graph(without_claims(text), {"T": length})
        wanted = {parent for parent, named in edges.items() if (name, None) in named}
        assert {m for parent in found for m in at(parent, {T: sympy.Integer(length)})} == wanted


@pytest.mark.parametrize(
    ("text", "family", "label"),
    [
        (recurrences.GENERAL, "h", t),  # of the last one nothing is made
        (recurrences.TWO_BACK, "h", T - t),
        (SUMS, "x", t),  # x[1] is named by every b
    ],
)
def test_what_cannot_be_told_is_refused(text: str, family: str, label: sympy.Expr) -> None:
    names = read(text)
    with pytest.raises(UndecidedError, match="cannot be told"):
        Dependence(names).parents(Key(family, label), Bounds((Range("t", ONE, T),), names.families.least))


def test_the_ends_of_a_sum_inside_of_a_sum_may_hold_its_variable() -> None:
    names = read("""
for r in range(0, T + 1):
    z[r]: (n,)
L = sum(sum(z[r] for r in range(s, T + 1)) for s in range(0, T + 1))
""")
    dependence = Dependence(names)
    with pytest.raises(UndecidedError):
        dependence.parents(Key("z", sympy.Integer(0)), Bounds())
    assert dependence.parents(Key("z", T), Bounds()) == [Parent(Key("L"))]


@pytest.mark.parametrize("block", [*recurrences.USUAL, *recurrences.UNUSUAL])
def test_what_a_member_acts_on_is_among_what_is_said(block: str) -> None:
    text = {**recurrences.USUAL, **recurrences.UNUSUAL}[block]
    names = read(text)
    dependence = Dependence(names)
    arrays = {
        *names.scope.names,
        *(n for n, family in names.families.table.items() if family.cases[0].label_of is None),
    }
    lengths = [str(p) for p in names.scope.sizes.values() if str(p) in ("T", "L", "N")]
    for length in range(1, 6):
        values = {name: length + names.families.least.get(name, 1) - 1 for name in lengths}
        put = {dims.symbol(name): sympy.Integer(value) for name, value in values.items()}
        edges = graph(without_claims(text), values)
        nodes = {*edges, *(node for named in edges.values() for node in named)}
        for name, label in nodes:
            if name not in arrays:  # a size, or a subscript
                continue
            said = reach_of(dependence, Key(name, None if label is None else sympy.Integer(label)), Bounds())
            for other, at_ in acted_on(edges, (name, label)):
                interval = said.found[other]
                ends = [None if end is None else int(end.xreplace(put)) for end in (interval.low, interval.high)]
                assert at_ is None or ((ends[0] is None or ends[0] <= at_) and (ends[1] is None or at_ <= ends[1]))


def test_a_member_does_not_act_on_those_before_it() -> None:
    names = read(recurrences.GENERAL)
    inside = Bounds((Range("t", ONE, T - 1),))
    said = reach_of(Dependence(names), Key("h", t), inside)
    assert said.meets(Key("h", t + 1)) and said.meets(Key("h", T)) and said.meets(Key("o", t)) and said.meets(Key("L"))
    assert not any(said.meets(Key(name, label)) for name, label in [("h", t), ("h", t - 1), ("o", t - 1), ("x", t)])
    assert not said.meets(Key("theta"))


def test_labels_agree_always_never_or_it_cannot_be_told() -> None:
    inside = Bounds((Range("s", ONE, T), Range("t", s, T)))
    assert agree(t, t, inside) is True
    assert agree(t + 1, s, inside) is False
    assert agree(t, s, inside) is None


@pytest.mark.parametrize("key", [Key("h", t - 1), Key("h", sympy.Integer(0)), Key("h", T - t), Key("L"), Key("theta")])
def test_the_name_of_a_key_reads_back(key: Key) -> None:
    assert key_named(str(key), read(recurrences.GENERAL)) == key
