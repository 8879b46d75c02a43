"""Whether a sheet of cases and a claim about it are well formed, before anything is read in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symderiv.check.alphabet import Alphabet, Kept, Ranged
from symderiv.check.claims import Claim
from symderiv.check.labels import ROW, Member, difference, is_linear
from symderiv.check.paths import Case
from symderiv.check.terms import Form, free, require
from symderiv.index.nodes import Definition, Index

SIZELESS = ("unknown", "derivative")


def check_claim(claim: Claim, alphabet: Alphabet) -> None:
    """Refuse a claim with indices besides its own, or whose ranges and lengths do not fit."""
    claim.bounds.check()
    bound = {r.variable for r in claim.ranges}
    require(str(ROW) not in bound | set(claim.least), f"{ROW} is the number of a row")
    require(not bound & set(claim.least), "a variable is bound by a range and is a length besides")
    require(len({i.name for i in claim.indices}) == len(claim.indices), "an index stands twice")
    for side in (claim.left, claim.right):
        check_text(side, claim.indices, claim.definitions, alphabet)


def check_alphabet(alphabet: Alphabet, least: Mapping[str, int]) -> None:
    """Refuse names that say something else than what they stand for, and sums that are not well formed."""
    for name, member in (*alphabet.widths.items(), *alphabet.labels.items()):
        require(name == str(member.at({})), f"{name} is said to be {member}")
    for name, head in alphabet.heads.items():
        require(name not in alphabet.arrays, f"{name} is a member and an array")
        if isinstance(head, Ranged):
            require(head.range.variable not in least, f"{name} binds {head.range.variable}, a length")
            check_text(head.body, None, head.definitions, alphabet)
            require(len(set(head.indices)) == len(head.indices), f"{name} names an index twice")
        elif isinstance(head, Kept):
            require(head.held, f"{name} holds nothing")
        else:
            require(head.name.isidentifier(), f"{head.name} is no name of a family")
            require(head.label is not None and is_linear(head.label), f"the label of {name} is not linear")
            require(name == str(head.at({})), f"{name} is said to be {head}")


def check_case(case: Case, alphabet: Alphabet) -> None:
    """Refuse a case that is not well formed."""
    require(case.name.isidentifier(), f"{case.name} is no name of an array or a family")
    require((case.low is None) == (case.high is None), f"{case.name} has one end")
    single = case.variable or case.low is None or difference(case.low, case.high) == 0
    require(single, f"the members of {case.name} have no variable")
    require(case.low is not None or not case.variable, f"the members of {case.name} have no range")
    own = Member(case.name, case.own).at({})
    require(alphabet.member(case.head.name) == own, f"{case.head} is said to be {own}")
    require(
        len(case.head.sizes) == alphabet.ranks[case.name], f"the members of {case.name} have not one number of axes"
    )
    if case.body is not None:
        require(
            [i.size for i in case.indices] == list(case.head.sizes), f"the indices of {case.name} have other ranges"
        )
        require(len({i.name for i in case.indices}) == len(case.indices), f"{case.name} names an index twice")
        check_text(case.body, case.indices, case.definitions, alphabet)


def check_text(
    text: Any, indices: Sequence[Index] | None, definitions: Mapping[str, Definition], alphabet: Alphabet
) -> None:
    """Refuse a text that is not well formed, or has an index besides some; those of data it may have."""
    form = Form()
    form.check(text)
    check_letters({*form.bound(text), *(i.name for i in free(text))})
    loose = {i for i in free(text) if i.name not in alphabet.labels}
    require(indices is None or loose <= set(indices), "a text has an index besides its own")
    for name, definition in definitions.items():
        require(definition.tensor.name == name, f"{name} is the name of {definition.tensor}")
        form.head(definition.tensor)
        for argument in definition.arguments:
            form.head(argument)
        check_definition(definition, alphabet)


def check_letters(names: Iterable[str]) -> None:
    """Refuse letters that the check gives out itself."""
    for name in names:
        require(not name.startswith("'"), f"{name} is no letter for an index")


def check_definition(definition: Definition, alphabet: Alphabet) -> None:
    """Refuse an abbreviation, or a function of whole arrays, that is not well formed."""
    name, arguments = definition.tensor.name, definition.arguments
    if definition.kind == "":
        require(definition.body is not None, f"{name} has no text")
        require([i.size for i in definition.indices] == list(definition.tensor.sizes), f"{name} has other indices")
        require(len({i.name for i in definition.indices}) == len(definition.indices), f"{name} names an index twice")
        Form().check(definition.body)
        check_letters({*Form().bound(definition.body), *(i.name for i in definition.indices)})
        loose = {i for i in free(definition.body) if i.name not in alphabet.labels}
        require(loose <= set(definition.indices), f"{name} has an index besides its own")
    elif definition.kind == "derivative":
        sizes = [s for a in arguments for s in a.sizes]
        require(len(arguments) > 1 and sizes == list(definition.tensor.sizes), f"{name} is no derivative")
    else:
        require(arguments, f"{name} is a function of nothing")
        require(all(k >= 0 for k in definition.axes), f"{name} has no such axis")
        inside = len(arguments) if definition.kind == "unknown" else len(arguments[0].sizes)
        require(all(k < inside for k in definition.axes), f"{name} has no such axis")
        require((definition.kind == "matrix_power") == (definition.exponent is not None), f"{name} is no power")
