"""Claims about families with their certificates: stored, read back, accepted; and damaged, of which none is."""

from __future__ import annotations

import json
import random
import re
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import sympy
from mutations import mutants
from test_windows_opened import BLOCKS, FALSE, TRUE, accepted, last_claim

import symderiv
from symderiv import check_proof, dims
from symderiv.certifying.certificate import certified
from symderiv.check.alphabet import Ranged
from symderiv.check.families import FamilyProof, as_argument
from symderiv.check.labels import Bounds, Interval, Member, Range, put
from symderiv.check.stored import family_from_json, to_json
from symderiv.check.terms import with_indices
from symderiv.errors import ProofError, SymderivError
from symderiv.index.nodes import Index, Tensor
from symderiv.sheet import Sheet
from symderiv.unrolling import decide_instances
from symderiv.windows import around, opened
from symderiv.windows.window import Window

t, tau, T = map(dims.symbol, ("t", "tau", "T"))

# Each shows something of its own: induction, a cut, rows, a hypothesis as an equation, powers, widths, what is data.
SOME = [
    "general product", "general back", "tanh output", "tanh all", "tanh W", "diagonal own", "diagonal own power",
    "tanh immediate", "layers layers", "patterns Hessian", "inverse sum", "backward product", "skip skip",
]  # fmt: skip


@cache
def texts() -> dict[str, str]:
    """Return the claims of the blocks, by block and label."""
    return {f"{block} {label}": text for block, text in TRUE for label in [text.split("'")[-2]]}


def certificate_of(text: str) -> FamilyProof:
    """Return the last claim of a block with its certificate."""
    statement, names = last_claim(text)
    taken = [*names.scope.names, *names.scope.sizes, *names.unknown, *names.functions, *names.scope.functions]
    kept: list[Window] = []
    proof = opened.prove_open(statement, names, [*taken, *names.families.table], accepted, kept=kept)
    return certified(statement, names, proof, kept, {})


@cache
def certificate(name: str) -> FamilyProof:
    return certificate_of(texts()[name])


# --- what is true is certified, stored and read back


@pytest.mark.parametrize("name", SOME)
def test_a_claim_about_families_is_stored_and_checked(name: str) -> None:
    text = to_json((), certificate(name))
    (shown,) = check_proof(text)
    assert shown == as_argument(certificate(name))
    again = family_from_json(text)
    assert again is not None and to_json((), again) == text


@pytest.mark.mutants
def test_all_claims_of_the_blocks_are_certified() -> None:
    for text in texts().values():
        assert check_proof(to_json((), certificate_of(text)))


@pytest.mark.mutants
@pytest.mark.parametrize("name", ["backpropagation-through-time", "jacobian-and-hessian-of-a-network"])
def test_all_claims_of_the_handouts_are_certified(name: str) -> None:
    text = (Path(symderiv.__file__).parent / "handout" / "builtin" / f"{name}.md").read_text(encoding="utf-8")
    count = 0
    for section in re.split(r"^#+ .*$", text, flags=re.MULTILINE):
        sheet = Sheet()
        for block in re.findall(r"```symderiv\n(.*?)```", section, flags=re.DOTALL):
            for claim in sheet.read(block):
                if claim.status == "proved" and claim.statement is not None and claim.statement.open:
                    assert claim.certificate is not None, claim.label
                    assert check_proof(sheet.to_json(claim.label))
                    count += 1
    assert count >= 10


R1 = """
f: function(n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = f(h[t-1])
for t in range(1, T + 1):
    assert diff(h[t], h[0]) == prod(diff(h[s], h[s-1]) for s in range(t, 0, -1)), "R1"
"""


def test_a_sheet_stores_an_induction() -> None:
    (shown,) = check_proof(Sheet(R1).to_json("R1"))
    assert (shown.scope, shown.way) == ("for all t = 1 … T, all T ≥ 1", "by induction")
    assert str(shown.left) == "∂(h[t][i])/∂h[0][j]"


def test_what_was_read_later_changes_no_certificate() -> None:
    sheet = Sheet(R1)
    before = sheet.to_json("R1")
    sheet.read("for t in range(1, T + 1):\n    g[t] = tanh(h[t])")
    assert sheet.to_json("R1") == before


def test_a_loop_that_defines_the_next_member() -> None:
    sheet = Sheet(R1.replace("range(1, T + 1):\n    h[t] = f(h[t-1])", "range(0, T):\n    h[t+1] = f(h[t])"))
    assert check_proof(sheet.to_json("R1"))


def test_without_a_certificate_an_induction_is_refused_and_a_window_says_no_more_than_it_shows() -> None:
    text = """
w: (n,)
v: (n,)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = h[t-1] * w
for t in range(1, T + 1):
    with given(w == v):
        assert h[t] == v * h[t-1], "R"
"""
    (shown,) = check_proof(Sheet(text).to_json("R"))
    assert not hasattr(shown, "scope")


# --- what is false is refused, whatever the engine says


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine read claims in windows without asking whether they mean the same there."""
    for name in ("check_derivatives", "check_supposed"):
        monkeypatch.setattr(opened, name, lambda *_: None)
    monkeypatch.setattr(opened, "hidden", lambda _: set())
    monkeypatch.setattr(opened, "stands_in_texts", lambda *_: False)
    monkeypatch.setattr(around, "stays_among", lambda *_: None)
    monkeypatch.setattr(Window, "apart", lambda *_: None)


def fate(text: str) -> str:
    """Tell what becomes of a claim: whether there is a proof, whether it is certified, and whether it is true."""
    try:
        certificate_of(text)
    except ProofError as err:
        return "refused" if err.message.startswith("that the window shows") else "not proved"
    except SymderivError:
        return "not proved"
    statement, names = last_claim(text)
    return f"certified, {decide_instances(statement, names, Sheet().decided).outcome.status}"


DECEIVING = [
    "a member past the cut", "a name for a derivative", "a path out of the window and back",
    "total for immediate, h", "labels that coincide", "a member that all name", "an integer in a text",
    "nothing between",
]  # fmt: skip


@pytest.mark.parametrize("name", DECEIVING)
def test_what_only_a_window_shows_is_refused(name: str, careless: None) -> None:
    assert fate(FALSE[name]) == "refused"


@pytest.mark.mutants
def test_nothing_false_is_certified(careless: None) -> None:
    found = [fate(text) for text in FALSE.values()]
    assert set(found) <= {"refused", "not proved"} and found.count("refused") >= 15
    everything = [mutant for _, text in TRUE for mutant in mutants(text)]
    found = [fate(text) for text in random.Random(11).sample(everything, 400)]
    assert set(found) <= {"refused", "not proved", "certified, proved"}


# --- damages


def head(proof: FamilyProof, name: str, new: Member | Ranged) -> FamilyProof:
    """Return a proof in which a name stands for something else."""
    return replace(proof, alphabet=replace(proof.alphabet, heads={**proof.alphabet.heads, name: new}))


def window(proof: FamilyProof, k: int = 0, **new: object) -> FamilyProof:
    """Return a proof with another window."""
    windows = list(proof.windows)
    windows[k] = replace(windows[k], **new)
    return replace(proof, windows=tuple(windows))


def context(proof: FamilyProof, k: int = 0, **new: object) -> FamilyProof:
    """Return a proof with another context in a window."""
    part = proof.windows[k].part
    return window(proof, k, part=replace(part, context=replace(part.context, **new)))


def ranged(proof: FamilyProof, end: str, by: int) -> FamilyProof:
    """Return a proof of a claim whose innermost range ends elsewhere."""
    *outer, inner = proof.claim.ranges
    new = replace(inner, **{end: getattr(inner, end) + by})
    return replace(proof, claim=replace(proof.claim, ranges=(*outer, new)))


def case(proof: FamilyProof, name: str, number: int = 0, **new: object) -> FamilyProof:
    """Return a proof about a sheet with another case."""
    cases = list(proof.cases)
    at = [k for k, c in enumerate(cases) if c.name == name][number]
    cases[at] = replace(cases[at], **new)
    return replace(proof, cases=tuple(cases), alphabet=proof.alphabet.of(cases))


def without(proof: FamilyProof, name: str, k: int = 0) -> FamilyProof:
    """Return a proof in which a window has no text for a member."""
    own = proof.windows[k].part.context
    chain = {n: d for n, d in own.chain.items() if n != name}
    assert len(chain) < len(own.chain)
    return context(proof, k, chain=chain)


def shrunk(proof: FamilyProof, k: int = 0) -> FamilyProof:
    """Return a proof in which each set of members lacks all but its first interval."""
    closed = {key: dict(list(sets.items())[:1]) for key, sets in proof.windows[k].closed.items()}
    return window(proof, k, closed=closed)


def shifted(proof: FamilyProof, k: int = 0) -> FamilyProof:
    """Return a proof in which the sets of members begin one label later."""

    def later(i: Interval) -> Interval:
        return Interval(None if i.low is None else i.low + 1, i.high)

    closed = {
        key: {name: tuple(map(later, found)) for name, found in sets.items()}
        for key, sets in proof.windows[k].closed.items()
    }
    return window(proof, k, closed=closed)


def supposed(proof: FamilyProof, **new: object) -> FamilyProof:
    """Return a proof that supposes something else."""
    (one,) = proof.windows[1].supposed
    return window(proof, 1, supposed=(replace(one, **new),))


def product_at_t(proof: FamilyProof) -> FamilyProof:
    """Return the first claim with the product up to t for what is supposed."""
    name = next(iter(s.name for s in proof.windows[1].supposed))
    found = proof.alphabet.heads[name]
    assert isinstance(found, Ranged)
    return head(proof, name, replace(found, range=replace(found.range, high=t)))


HELD = "diff(h[t], b, holding=h[t - 1])"
DAMAGES = {
    # the claim
    "the range one too long": ("general product", lambda p: ranged(p, "high", 1)),
    "the range begins one before": ("general product", lambda p: ranged(p, "low", -1)),
    "a recursion at the last step": ("general back", lambda p: ranged(p, "high", 1)),
    "a recursion before the first": ("general back", lambda p: ranged(p, "low", -2)),
    "another right side": ("general back", lambda p: replace(p, claim=replace(p.claim, right=p.claim.right.args[0]))),
    "the sides of another claim": ("tanh W", lambda p: replace(p, claim=replace(p.claim, right=p.claim.left))),
    "an index for another": (
        "general product",
        lambda p: replace(p, claim=replace(p.claim, indices=p.claim.indices[::-1])),
    ),
    "nothing is known of T": ("general last", lambda p: replace(p, claim=replace(p.claim, least={}))),
    "T may be 0": ("general last", lambda p: replace(p, claim=replace(p.claim, least={"T": 0}))),
    # base and step
    "the base left out": ("general product", lambda p: replace(p, windows=p.windows[1:])),
    "the step left out": ("general product", lambda p: replace(p, windows=p.windows[:1])),
    "base and step exchanged": ("general product", lambda p: replace(p, windows=p.windows[::-1])),
    "the base twice": ("general product", lambda p: replace(p, windows=(p.windows[0], p.windows[0]))),
    "the step twice": ("general product", lambda p: replace(p, windows=(p.windows[1], p.windows[1]))),
    "downward": ("general product", lambda p: replace(p, downward=True)),
    "upward": ("backward product", lambda p: replace(p, downward=False)),
    "no ranges": ("general product", lambda p: replace(p, claim=replace(p.claim, ranges=()))),
    # what is supposed
    "the hypothesis at the same t": ("general product", product_at_t),
    "the hypothesis for another side": (
        "general product",
        lambda p: supposed(p, meaning=p.windows[1].part.context.chain["h[t]"].body),
    ),
    "nothing is supposed": ("general product", lambda p: window(p, 1, supposed=())),
    "supposed in the base": ("inverse sum", lambda p: window(p, 0, supposed=p.windows[1].supposed)),
    "nothing is held": ("tanh immediate", lambda p: head(p, HELD, replace(p.alphabet.heads[HELD], held=()))),
    "another one is held": (
        "tanh immediate",
        lambda p: head(p, HELD, replace(p.alphabet.heads[HELD], held=(p.alphabet.heads[HELD].of,))),
    ),
    "the letters exchanged": ("diagonal own", lambda p: supposed(p, letters=p.windows[1].supposed[0].letters[::-1])),
    "an equation that is not said to be assumed": ("diagonal own", lambda p: window(p, 1, assumed={})),
    "assumed at all indices": ("diagonal own", lambda p: context(p, 1, fixed=frozenset())),
    # members
    "a member one further": ("general back", lambda p: head(p, "h[t + 1]", Member("h", t + 2))),
    "a member for another": ("general back", lambda p: head(p, "o[t]", Member("h", t))),
    "an input one further": ("general back", lambda p: head(p, "x[t + 1]", Member("x", t))),
    "a row one further": ("tanh W", lambda p: head(p, "h[_ - 1]", Member("h", dims.symbol("_")))),
    "all rows one further": ("tanh W", lambda p: head(p, "a[_]", Member("a", dims.symbol("_") + 1))),
    "one row more": ("tanh W", lambda p: window(p, rows=T + 1)),
    "no rows": ("tanh W", lambda p: window(p, rows=None)),
    "two letters for one": (
        "general product",
        lambda p: window(p, 1, letters=(p.windows[1].letters[0],) * 2),
    ),
    # the window
    "a window too small": ("general back", lambda p: without(p, "o[t]")),
    "a text less": ("tanh W", lambda p: without(p, "h[_]")),
    "the cut removed": ("general back", lambda p: without(p, "L")),
    "the text of another": (
        "tanh back",
        lambda p: context(
            p,
            chain={
                **p.windows[0].part.context.chain,
                "o[t]": replace(p.windows[0].part.context.chain["o[t]"], body=sympy.Integer(0)),
            },
        ),
    ),
    "no sets": ("general back", lambda p: window(p, closed={})),
    "sets too small": ("general back", shrunk),
    "sets that begin later": ("general back", shifted),
    "a function of all derivatives": ("skip skip", lambda p: window(p, affine=())),
    "first derivatives of no function": ("tanh W", lambda p: window(p, affine=("W",))),
    "no core": ("inverse sum", lambda p: window(p, 1, cores=())),
    "no exponent": ("diagonal own power", lambda p: window(p, 1, powers=())),
    # the sheet
    "a case that begins later": ("general product", lambda p: case(p, "h", 1, low=sympy.Integer(2))),
    "a case that ends before": ("general product", lambda p: case(p, "h", 1, high=T - 1)),
    "a member defined twice": ("general product", lambda p: case(p, "h", 1, low=sympy.Integer(0))),
    "the text of the sheet is another": ("tanh back", lambda p: case(p, "o", body=sympy.Integer(0))),
    "a text that is none": ("general back", lambda p: case(p, "o", body=None)),
    "another head": ("general back", lambda p: case(p, "o", head=p.cases[0].head)),
    "ranks that are level": ("general back", lambda p: replace(p, ranks=(p.ranks[0],) * len(p.ranks))),
    "ranks the other way": (
        "general product",
        lambda p: replace(p, ranks=tuple(replace(r, direction=-1) for r in p.ranks)),
    ),
    "a property that is not declared": ("diagonal own", lambda p: case(p, "V", traits=frozenset())),
}  # fmt: skip


@pytest.mark.parametrize("name, damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_certificate_is_rejected(name: str, damage) -> None:
    proof = certificate(name)
    proof.check()
    damaged = damage(proof)
    assert damaged != proof
    with pytest.raises(ProofError):
        damaged.check()


def test_the_first_bad_thing_is_named() -> None:
    proof = certificate("general back")
    with pytest.raises(ProofError, match=r"the window of 'back': the text of o\[t\] is not the one of the sheet"):
        case(proof, "o", body=sympy.Integer(0)).check()
    with pytest.raises(ProofError, match=r"the window of 'back': argument 'o\[t\] in h\[t\]', step 1"):
        without(proof, "o[t]").check()


def row(data: dict, *parts: object) -> int:
    """Return the number of a new row of a file."""
    data["expressions"].append(list(parts))
    return len(data["expressions"]) - 1


def test_a_member_that_is_one_further_everywhere_is_rejected() -> None:
    data = json.loads(to_json((), certificate("general back")).replace('"h[t + 1]"', '"h[t + 2]"'))
    heads, (range_,) = data["family"]["heads"], data["family"]["claim"]["ranges"]
    heads["h[t + 2]"]["label"] = row(data, "Add", heads["h[t]"]["label"], row(data, "Integer", "2"))
    with pytest.raises(ProofError, match=r"there may be no h\[t \+ 2\]"):
        check_proof(json.dumps(data))
    range_["high"] = row(data, "Add", row(data, "Symbol", "T", "integer", "positive"), row(data, "Integer", "-2"))
    with pytest.raises(ProofError, match=r"the text of h\[t \+ 2\] is not the one of the sheet"):
        check_proof(json.dumps(data))


FIELDS = {
    "a claim without a label": lambda d: d["family"]["claim"].pop("label"),
    "an unknown field": lambda d: d["family"].update(note="believe me"),
    "a part that is another": lambda d: d["family"]["windows"][0].update(part=2),
    "a window less": lambda d: d["family"]["windows"].pop(),
    "a part more": lambda d: d["parts"].append(d["parts"][0]),
    "a label that is no label": lambda d: d["family"]["heads"]["h[t]"].update(label=0.5),
    "a kind that is none": lambda d: d["family"]["heads"].update(P={"kind": "mean"}),
    "an interval with one end": lambda d: d["family"]["windows"][1].update(
        closed=[{"x": "h[t]", "member": "L", "within": {"h": [[1]]}}]
    ),
    "no object": lambda d: d.update(family=[]),
}


@pytest.mark.parametrize("change", FIELDS.values(), ids=FIELDS)
def test_a_damaged_file_is_rejected(change) -> None:
    data = json.loads(to_json((), certificate("general product")))
    change(data)
    with pytest.raises(ProofError):
        check_proof(json.dumps(data))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_stands_in_a_certificate_nothing_but_a_proof_error(seed: int) -> None:
    draw = random.Random(seed)
    whole = to_json((), certificate(draw.choice(["general product", "general last", "diagonal own"])))
    for _ in range(4):
        data = json.loads(whole)
        path, at = [], data["family"]
        while isinstance(at, dict | list) and at:
            key = draw.choice(list(at)) if isinstance(at, dict) else draw.randrange(len(at))
            path.append((at, key))
            at = at[key]
        where, key = path[-1]
        where[key] = draw.choice([None, -1, 0, 3, 10**9, "h[t]", [], {}, [[None, None]], True])
        with suppress(ProofError):
            check_proof(json.dumps(data))


def called(proof: FamilyProof, old: str, new: str) -> FamilyProof:
    """Return a proof about a sheet in which an array has another name."""
    at = next(k for k, c in enumerate(proof.cases) if c.name == old)
    one = replace(proof.cases[at], name=new, head=Tensor(new, *proof.cases[at].head.sizes))
    cases = (*proof.cases[:at], one, *proof.cases[at + 1 :])
    return replace(proof, cases=cases, alphabet=proof.alphabet.of(cases))


def lettered(proof: FamilyProof) -> FamilyProof:
    """Return a proof of a claim at a letter that the check gives out itself."""
    (old,) = proof.claim.indices
    new = Index("'0", old.size)
    left, right = (with_indices(side, {old: new}) for side in (proof.claim.left, proof.claim.right))
    return replace(proof, claim=replace(proof.claim, left=left, right=right, indices=(new,)))


def ending(proof: FamilyProof) -> FamilyProof:
    """Return a proof of a claim whose range ends at what looks like a member."""
    (old,) = proof.claim.ranges
    return replace(proof, claim=replace(proof.claim, ranges=(replace(old, high=dims.symbol("T] + h[0")),)))


ATTACKS = {
    "an array called like a member": ("is a member and an array", lambda p: called(p, "theta", "h[t]")),
    "an array called like a function": ("no name of an array", lambda p: called(p, "theta", "f (x)")),
    "a letter of the check's own": ("no letter for an index", lettered),
    "a label that is no letter": ("is not linear", ending),
}


@pytest.mark.parametrize("message, damage", ATTACKS.values(), ids=ATTACKS)
def test_names_that_could_be_taken_for_others_are_refused(message: str, damage) -> None:
    with pytest.raises(ProofError, match=message):
        damage(certificate("general back")).check()


# --- labels


def test_what_is_certain_is_true_for_all_values() -> None:
    bounds = Bounds((Range("tau", sympy.Integer(0), T), Range("t", tau + 1, T)), {"T": 2})
    draw = random.Random(3)
    for _ in range(100):
        value = sum((draw.randrange(-2, 3) * s for s in (t, tau, T)), sympy.Integer(draw.randrange(-3, 4)))
        if bounds.certain(value):
            for length in range(2, 7):
                for low in range(length + 1):
                    for high in range(low + 1, length + 1):
                        assert (
                            put(value, {t: sympy.Integer(high), tau: sympy.Integer(low), T: sympy.Integer(length)}) >= 0
                        )


def test_ranges_are_nested() -> None:
    from symderiv.check.terms import RefusedError

    with pytest.raises(RefusedError):
        Bounds((Range("t", tau, T), Range("tau", sympy.Integer(0), T)), {"T": 1}).check()


def test_blocks_have_the_claims_that_are_named_here() -> None:
    assert set(SOME) <= set(texts()) and BLOCKS
