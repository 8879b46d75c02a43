"""Proofs as JSON: to be stored with a paper and checked later, by this version or another.

The file is an object with these fields; unknown ones are refused, so that nothing is overlooked.

* `format` is `"symderiv proof"` and `version` is 1. A change that an older checker would misread raises it.
* `expressions` is a list of rows, each used by its number, from 0. A row names what it is and then its parts:
  `["Symbol", name, assumption, …]`, `["Integer", "12"]`, `["Rational", "1", "2"]`; SymPy's `Add`, `Mul` and `Pow`
  over sizes; and the nodes of the index language (:mod:`symderiv.index.nodes`): `Index`, `Tensor`, `Entry`,
  `Delta`, `Times`, `Plus`, `Power`, `Sum`, `Apply`, `Choice`, `Extreme`, `Derivative`, `Immediate`, `Structured`.
  The parts of a row are numbers of rows before it.
* `parts` is a list of proofs, each with its `arguments`, its `context` and the proofs that it cites (`cited`, by
  label). An argument is a `label`, `left`, `right` and its `steps`; a step has `rule`, `place`, `instance`,
  `before`, `after` and `reason`. The context has the tables of :class:`symderiv.index.nodes.Context`.
* `family`, where there is one, says what the parts show together: a claim about families, for all lengths
  (:mod:`symderiv.check.family_data`). A checker that does not know it refuses the file.

Nothing in a file is trusted: reading it builds nodes and nothing else, and the kernel checks every step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symderiv.check.families import FamilyProof, as_argument
from symderiv.check.family_data import family_data, read_family
from symderiv.check.kernel import check
from symderiv.check.part import Part
from symderiv.check.proof_reader import Object, Reader
from symderiv.check.proof_writer import Table, part_data
from symderiv.check.terms import alike, with_indices
from symderiv.errors import ProofError
from symderiv.index.nodes import Argument, Context, Definition, Step

FORMAT, VERSION = "symderiv proof", 1


def to_json(parts: Sequence[Part], family: FamilyProof | None = None) -> str:
    """Return proofs as the text of a file; `family` tells what they show together, and brings its own parts.

    >>> from symderiv.index.nodes import Entry, Index, Tensor, sympy
    >>> i = Index("i", sympy.Symbol("n", integer=True, positive=True))
    >>> x = Entry(Tensor("x", i.size), i)
    >>> part = Part((Argument("same", x, (), x),), Context())
    >>> from_json(to_json([part])) == (part,)
    True
    """
    table = Table()
    if family is not None:
        parts = [window.part for window in family.windows]
    found = [part_data(part, table) for part in parts]
    data: dict[str, Any] = {"format": FORMAT, "version": VERSION, "expressions": table.rows, "parts": found}
    if family is not None:
        data["family"] = family_data(family, table)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"


def check_proof(text: str) -> tuple[Argument, ...]:
    """Check a stored proof; return what was proved, the last chain of equalities of each of its parts.

    Of a claim about families that is what was proved, for all lengths; its sides name members as they are written.

    Raises ProofError naming the part and its first bad step. The parts speak of the same things: a name that two of
    them define has one definition.

    >>> import symderiv
    >>> text = symderiv.derive("x @ x", "x", shapes={"x": ("n",)}).proof.to_json()
    >>> print(check_proof(text)[-1].right)
    2 x[i]
    >>> check_proof(text.replace('"merge"', '"exchange"'))
    Traceback (most recent call last):
    ...
    symderiv.errors.ProofError: part 1, argument 'x', step 9 (exchange): ...
    """
    parts, family = _read(text)
    if family is not None:
        family.check()
        return (as_argument(family),)
    known: dict[str, Definition] = {}
    for number, part in enumerate(parts, start=1):
        try:
            part.check()
        except ProofError as err:
            raise ProofError(f"part {number}, {err.message}", hint=err.hint) from None
        for name, definition in (*part.context.definitions.items(), *part.context.chain.items()):
            if not _agree(known.setdefault(name, definition), definition, part.context):
                raise ProofError(f"part {number} gives {name} another definition than the parts before it")
    return tuple(part.claim for part in parts)


def _agree(one: Definition, other: Definition, context: Context) -> bool:
    """Tell whether two definitions say the same: under other letters, or by the other definitions of the context."""
    if one == other:
        return True
    if one.tensor != other.tensor or one.kind or other.kind or one.body is None or other.body is None:
        return False
    before = with_indices(one.body, dict(zip(one.indices, other.indices, strict=True)))
    if alike(before, other.body):
        return True
    same = Argument(other.tensor.name, before, (Step("rearrange", (), {}, before, other.body),), other.body)
    try:
        check([same], replace(context, chain={k: d for k, d in context.chain.items() if d is not other}))
    except ProofError:
        return False
    return True


def from_json(text: str) -> tuple[Part, ...]:
    """Return the proofs in a file, read and not yet checked.

    Raises ProofError, with the place, where the text is no proof in this format.
    """
    return _read(text)[0]


def family_from_json(text: str) -> FamilyProof | None:
    """Return the claim about families in a file, read and not yet checked; nothing where there is none."""
    return _read(text)[1]


def _read(text: str) -> tuple[tuple[Part, ...], FamilyProof | None]:
    try:
        data = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as err:
        raise ProofError("this is no JSON", hint=str(err)) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ProofError(
            f"this is no proof: its format is not {FORMAT!r}", hint="derivation.proof.to_json() writes one"
        )
    if data.get("version") != VERSION:
        raise ProofError(
            f"the proof has version {data.get('version')!r} of the format; this checker reads version {VERSION}",
            hint="use the symderiv that wrote it, or a newer one",
        )
    reader = Reader(Object(data, "the file"))
    parts = reader.parts()
    if "family" not in data:
        return parts, None
    return parts, read_family(reader, Object(data["family"], "family"), parts)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; of two fields of one name readers would take one or the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ProofError("a field stands twice in an object of the file")
    return found
