"""The laws about definitions: the chain rule over them, what was proved of them, what their texts say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Integer

from symderiv.check.facts import SYMMETRIC
from symderiv.check.laws import LAWS, Case, derivative_of, expect, law
from symderiv.check.terms import (
    RefusedError,
    alike,
    along,
    fresh,
    immediates,
    product_of,
    require,
    sum_of,
    summed,
    with_indices,
)
from symderiv.index.nodes import (
    Argument,
    Definition,
    Delta,
    Derivative,
    Entry,
    Immediate,
    Index,
    IndexExpr,
    Structured,
    Times,
)


def text_at(definition: Definition, entry: Entry) -> Any:
    """Return the text of a definition at the indices of an entry."""
    return with_indices(definition.body, dict(zip(definition.indices, entry.indices, strict=True)))


@law("definition")
def definition(before: Any, after: Any, case: Case) -> None:
    """`∂N[k,l]/∂x = ∂(text of N at k, l)/∂x`.

    N is looked through, or is a definition of the chain whose own text is meant (right after the chain rule).

    Proof: N is its text, by definition.

    Source: the definition itself.

    Example: X: (n, p); w: (p,); derive(norm(X @ w)**2, w)
    """
    before = derivative_of(before, Entry)
    head = before.of.tensor
    require(head != before.entry.tensor, "the entry is of the variable itself")
    found = case.facts.is_text(head)
    if found is None or "name" in case.instance:
        require(case.named("name") == head.name, "the step names another definition")
    if found is None:
        found = case.facts.chain.get(head.name)
        require(found is None or case.own_texts, f"{head.name} is held constant inside another definition")
    if found is None or found.body is None:
        raise RefusedError(f"{head.name} has no text")
    expect(after, before.func(text_at(found, before.of), before.entry))


def _root(before: Any, case: Case) -> tuple[str, str]:
    """Return the names of f and X where the part is `∂f[F]/∂X[c]`, the total derivative."""
    require(type(before) is Derivative and isinstance(before.of, Entry), "the rule is about ∂f/∂X")
    f, x = before.of.tensor.name, before.entry.tensor.name
    require(f in case.facts.chain, f"{f} is no definition of the chain")
    require(f != x, "f is the variable itself")
    require(not case.inside_derivative(), "a derivative of a derivative")
    return f, x


def _parents(f: str, x: str, case: Case) -> list[str]:
    """Return the definitions on which f depends, f among them, whose own text names X."""
    return sorted(p for p in case.facts.below(f) if p != x and x in case.facts.mentions(p))


@law("cite")
def cite(before: Any, after: Any, case: Case) -> None:
    """`∂P[i]/∂C` is what another proof has proved of it.

    `∂P[i]/∂C` of P's own text is the total derivative where only P's text leads to C.

    Proof: the proof that is cited, checked under the definitions of this one.

    Source: the proof that is cited.

    Example:
        D: (m, n); W: (n, p); b: (p,); loss: function()
        A = D @ W + b
        E = loss(A)
        B = diff(E, A)
        assert diff(A[i,j], b[k]) == delta[j,k], "L7"
        assert diff(E, b[k]) == sum[i](B[i,k])
    """
    if type(before) is Derivative:
        require(not case.inside_derivative(), "a derivative of a derivative")
        expect(after, instance_of(_cited(case), before))
        return
    expect(after, instance_of(_cited(case), _total(before, case)))


def _total(before: Any, case: Case) -> Any:
    """Return `∂P[i]/∂C` of P's own text as the total derivative: only P's text leads to C."""
    before = derivative_of(before, Entry)
    p, c = before.of.tensor.name, before.entry.tensor.name
    require(case.own_texts and p in case.facts.chain, f"{p} is held constant here")
    require(_parents(p, c, case) == [p], f"{p} depends on {c} through another definition too, or not at all")
    return Derivative(before.of, before.entry)


def _cited(case: Case) -> Argument:
    label = case.named("label")
    found = case.cited(label)
    if found is None:
        raise RefusedError(f"nothing was proved of {label} before")
    return found


@law("lemma")
def lemma(before: Any, after: Any, case: Case) -> None:
    """A total derivative is what an earlier argument has proved of it, at the indices of this one.

    Proof: the argument that is named.

    Source: an earlier argument of the same proof.

    Example: X: (n, p); w: (p,); y: (n,); derive(norm(X @ w - y), w)
    """
    require(not case.inside_derivative(), "a derivative of a derivative")
    label = case.named("label")
    require(label in case.proved, f"nothing was proved of {label} before")
    expect(after, instance_of(case.proved[label], before))


def instance_of(argument: Argument, part: Any) -> Any:
    """Return the right side of an argument at the indices where its left side is the part."""
    own, now = along(argument.left), along(part)
    require(len(own) == len(now) > 1, "the lemma is about a derivative of another order, or about none")
    change: dict[Index, Index] = {}
    for ours, theirs in zip(own, now, strict=True):
        same = isinstance(ours, Entry) and isinstance(theirs, Entry) and ours.tensor == theirs.tensor
        require(same, "the lemma is about other arrays")
        for a, b in zip(ours.indices, theirs.indices, strict=True):
            require(change.setdefault(a, b) == b, "the lemma has an index twice")
    require(not immediates(argument.right), "the lemma is not carried out")
    return with_indices(argument.right, change)


@law("derivative of lemma")
def derivative_of_lemma(before: Any, after: Any, case: Case) -> None:
    """`∂(∂f/∂P)/∂x = ∂R/∂x` where `∂f/∂P = R` was proved: not only at one x, but at all around it.

    So the proof may not use what is declared of x itself (that it is symmetric, say), nor what is assumed.

    Proof: two functions that agree around a point have one derivative there.

    Source: an earlier argument of the same proof.

    Example:
        X: (n, p); beta: (p,); y: (n,); v: positive()
        e = y - X @ beta
        f = e @ e / (2 * v)
        assert diff(f, beta, v) == X.T @ e / v**2
    """
    twice = type(before) is Derivative and type(before.of) is Derivative
    require(twice and not case.inside_derivative(), "the rule is about the derivative of a derivative")
    require(type(after) is Derivative and after.entry == before.entry, "the result is no derivative in the same entry")
    label = case.named("label")
    found = case.nearby(label, before.entry.tensor)
    if found is None:
        raise RefusedError(f"nothing was proved of {label} before")
    expect(after.of, instance_of(found, before.of))


@law("through")
def through(before: Any, after: Any, case: Case) -> None:
    """`∂G/∂X = Σ_Q Σ_i ∂G/∂Q[i] ∂Q[i]/∂X`, all total, G being f or `∂ᵐf/∂P₁…∂P_m`; f leads to X through the Q only.

    No P stands below a Q, no Q below another.

    Proof: read each P as P + s. Then f is a function of the Q, of the s and of what does not depend on X, and neither
    do the s; a Q depends neither on the s nor on the other Q. So G, its derivative in the s, is such a function as
    well; the chain rule for it has the terms given.

    Source: Rudin, Principles of Mathematical Analysis, 9.15.

    Example:
        w: (m, n); z: (n,); c: (m,); loss: function()
        a = w @ z + c
        E = loss(a)
        assert diff(E, c[j], c[j]) == diff(E, a[j], a[j])
    """
    require(type(before) is Derivative and not case.inside_derivative(), "the rule is about a total derivative")
    g, x = before.of, before.entry.tensor.name
    f, *taken = along(g)
    require(all(isinstance(e, Entry) for e in (f, *taken)), "what is differentiated has no name")
    names = case.named("through")
    require(names and len(set(names)) == len(names), "no definition is named, or one is named twice")
    require(all(q in case.facts.chain and q not in (x, f.tensor.name) for q in names), "the names are no definitions")
    above = case.facts.standing_above(f.tensor.name, frozenset(names))
    require(x not in above, f"there is another way to {x}")
    for n in above:
        require(not case.facts.holds_derivative(n), f"{n} is made of a derivative: no function of values alone")
    for q in names:
        below = case.facts.standing_above(q, frozenset()) - {q}
        require(not below & ({e.tensor.name for e in taken} | set(names)), f"{q} depends on another one")
    parts = []
    for q in names:
        head = case.facts.chain[q].tensor
        i = [fresh(size) for size in head.sizes]
        entry = Entry(head, *i)
        parts.append(summed(Times(Derivative(g, entry), Derivative(entry, before.entry)), i))
    expect(after, sum_of(parts))


@law("name")
def name(before: Any, after: Any, case: Case) -> None:
    """`∂f[F]/∂x[k] = B[F, k]` where B is defined as a name for ∂f/∂x; so for a name of a higher derivative.

    In `∂(∂f/∂P)/∂x` the inner derivative may be named, or its name be put back. `∂P[i]/∂C` of P's own text is the
    total derivative where only P's text leads to C.

    Proof: B is that derivative, by definition.

    Source: the definition of the name.

    Example:
        D: (m, n); W: (n, p); b: (p,); loss: function()
        A = D @ W + b
        E = loss(A)
        B = diff(E, A)
        assert diff(E, b[k]) == sum[i](B[i,k])
    """
    if type(before) is type(after) is Derivative and before.entry == after.entry:
        one, other = (before.of, after.of) if isinstance(after.of, Entry) else (after.of, before.of)
        LAWS["name"](one, other, case)
        return
    if isinstance(before, Immediate):
        before = _total(before, case)
    require(type(before) is Derivative, "the rule is about ∂f/∂x")
    require(isinstance(after, Entry), "the result is no entry")
    found = case.facts.named("derivative", after.tensor)
    if found is None:
        raise RefusedError(f"{after.tensor.name} is no name for a derivative")
    entries = along(before)
    same = isinstance(entries[0], Entry) and found.arguments == tuple(e.tensor for e in entries)
    require(same, "the name is that of another derivative")
    expect(after, Entry(found.tensor, *(i for e in entries for i in e.indices)))


@law("definition of f")
def definition_of_f(before: Any, after: Any, case: Case) -> None:
    """`∂f[F]/∂X = ∂(text of f)/∂X`, where f is the only definition below f that names X.

    Proof: the chain rule, whose other terms are missing.

    Source: Rudin, Principles of Mathematical Analysis, 9.15.

    Example: x: (n,); derive(x @ x, x)
    """
    f, x = _root(before, case)
    require(case.named("name") == f, "the step names another definition")
    require(_parents(f, x, case) == [f], f"another definition names {x} too, or none does")
    require(case.facts.chain[f].body is not None, f"{f} has no text")
    expect(after, Immediate(text_at(case.facts.chain[f], before.of), before.entry))


@law("chain rule")
def chain_rule(before: Any, after: Any, case: Case) -> None:
    """`∂f[F]/∂X = Σ_P Σ_i ∂f[F]/∂P[i] ∂P[i]/∂X`, over all P on which f depends whose own text names X.

    The first factor is the total derivative, P taken as independent; the second is that of P's own text, other
    definitions held constant; for f itself the first is 1.

    Proof: f is a function of X and of the P; the P are functions of X and of each other, without a circle. Unfold
    them, outermost first; each way from f to X ends with one P whose own text names X.

    Source: Rudin, Principles of Mathematical Analysis, 9.15.

    Example: X: (n, p); w: (p,); y: (n,); derive(norm(X @ w - y)**2, w)
    """
    f, x = _root(before, case)
    through = case.named("through")
    require(len(set(through)) == len(through), "a definition is listed twice")
    require(sorted(through) == _parents(f, x, case), f"the step does not list all definitions that name {x}")
    parts = []
    for name in through:
        if name == f:
            parts.append(Immediate(before.of, before.entry))
            continue
        head = case.facts.chain[name].tensor
        i = [fresh(size) for size in head.sizes]
        p = Entry(head, *i)
        parts.append(summed(Times(Derivative(before.of, p), Immediate(p, before.entry)), i))
    expect(after, sum_of(parts))


# ---------------------------------------------------------------- entries and definitions


def _entries_differ(before: Any, after: Any, allowed: Callable[[Any, Any], bool], case: Case) -> None:
    """Refuse unless the expressions are equal but for parts that may stand for each other."""
    require(_differ(before, after, allowed) == 2, "more or less changes than the rule allows")


def _differ(before: Any, after: Any, allowed: Callable[[Any, Any], bool]) -> int:
    """Return 1 for equal, 2 where only allowed changes were made, 0 otherwise."""
    if before == after:
        return 1
    if allowed(before, after):
        return 2
    inner = isinstance(before, IndexExpr) and not isinstance(before, (Entry, Delta, Index))
    if type(before) is not type(after) or not inner or len(before.args) != len(after.args):
        return 0
    found = [_differ(a, b, allowed) for a, b in zip(before.args, after.args, strict=True)]
    return 0 if 0 in found else max(found)


@law("symmetry")
def symmetry(before: Any, after: Any, case: Case) -> None:
    """`S[i, j] = S[j, i]` for a symmetric head, but not inside `∂…/∂x` where x stands in S.

    Entries of a symmetric variable are independent of each other until the last derivative is taken.

    Proof: S is declared to be symmetric.

    Source: the declaration of S.
    """
    withheld = case.withheld() or frozenset()

    def allowed(a: Any, b: Any) -> bool:
        if not (isinstance(a, Entry) and isinstance(b, Entry) and a.tensor == b.tensor):
            return False
        if len(a.indices) != 2 or a.indices != b.indices[::-1] or a.tensor.name in withheld:
            return False
        return case.facts.has(a.tensor, SYMMETRIC) or case.equal(a, b)

    _entries_differ(before, after, allowed, case)


@law("transpose")
def transpose(before: Any, after: Any, case: Case) -> None:
    """`(Aᵀ)[j, i] = A[i, j]` where a definition says what Aᵀ is; the factors may take another order.

    Proof: by the definition of the transpose.

    Source: the definition of the transpose.

    Example:
        D: (m, n); W: (n, p); loss: function()
        A = D @ W
        E = loss(A)
        B = diff(E, A)
        assert diff(E, D) == B @ W.T
    """
    a, b = _without_views(before, case), _without_views(after, case)
    require(a is not before or b is not after, "no transpose stands here")
    require(alike(a, b, ordered=False), "more changes than a transpose")


def _without_views(expr: Any, case: Case) -> Any:
    """Return the expression with every entry that is defined as an entry of another array written as that."""
    if isinstance(expr, Entry):
        definition = None if expr.tensor.name in case.facts.shifted else case.facts.is_text(expr.tensor)
        if definition is None or not isinstance(definition.body, Entry):
            return expr
        return _without_views(text_at(definition, expr), case)
    if not isinstance(expr, IndexExpr) or isinstance(expr, (Delta, Index, Derivative)):
        return expr
    args = [_without_views(a, case) if isinstance(a, IndexExpr) else a for a in expr.args]
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else type(expr)(*args)


@law("unfold")
def unfold(before: Any, after: Any, case: Case) -> None:
    """An entry is what its definition says, at its indices.

    Proof: by definition.

    Source: the definition itself.

    Example:
        x: (n,)
        f = x @ x
        assert 2 * f == x @ diff(f, x)
    """
    _expect_folded(before, after, case)


@law("fold")
def fold(before: Any, after: Any, case: Case) -> None:
    """What a definition says is an entry of its head.

    Proof: by definition.

    Source: the definition itself.

    Example:
        x: (n,)
        f = x @ x
        assert x @ diff(f, x) == 2 * f
    """
    _expect_folded(after, before, case)


def _expect_folded(entry: Any, text: Any, case: Case) -> None:
    if not isinstance(entry, Entry):
        raise RefusedError("the rule is about an entry")
    require(entry.tensor.name not in case.facts.shifted, f"{entry.tensor.name} is its text and something more")
    definition = case.facts.is_text(entry.tensor)
    if definition is None:
        definition = case.facts.chain.get(entry.tensor.name)
        require(not case.inside_derivative(), f"{entry.tensor.name} is held constant here")
        require(case.named("name") == entry.tensor.name, "the step names another definition")
    if definition is None or definition.body is None:
        raise RefusedError(f"{entry.tensor.name} has no text")
    written = text_at(definition, entry)
    require(alike(written, text) or case.equal(written, text), f"{entry.tensor.name} says something else")


@law("read off")
def read_off(before: Any, after: Any, case: Case) -> None:
    """The whole expression is an entry of a head whose definition says the same, in ring normal form.

    Proof: a ring normal form is unique.

    Source: the definitions of the operations of matrices.

    Example: X: (n, p); w: (p,); y: (n,); derive(y @ X @ w, w)
    """
    require(not case.around, "only the whole expression is read off")
    require(isinstance(after, Entry), "the result is no entry")
    require(len(set(after.indices)) == len(after.indices), "an index stands twice in the result")
    require(case.named("name") == after.tensor.name, "the step names another result")
    require(after.tensor.name not in case.facts.shifted, f"{after.tensor.name} is its text and something more")
    definition = case.facts.is_text(after.tensor)
    if definition is None:
        raise RefusedError(f"{after.tensor.name} has no definition")
    written = text_at(definition, after)
    require(alike(written, before) or case.equal(written, before), f"{after.tensor.name} says something else")


# ---------------------------------------------------------------- what is declared of the variables


@law("assumption")
def assumption(before: Any, after: Any, case: Case) -> None:
    """A result is another one, entry by entry, by what is declared of the variables that the step names.

    All derivatives are taken: no entry is held independent of another any more.

    Proof: the declaration of the variable, put in.

    Source: the declaration of the variable.

    Example: S: symmetric(n, n); derive(trace(S @ S), S)
    """
    require(isinstance(before, Entry), "the rule is about a result that was read off")
    named = case.named("of")
    require(named, "the step names no assumption")
    for name, trait in named:
        declared = case.facts.traits.get(name, frozenset())
        fits = trait in declared or (trait == "symmetric" and SYMMETRIC & declared)
        require(fits, f"{name} is not declared {trait}")
    read_off(before, after, case)


@law("free entries")
def free_entries(before: Any, after: Any, case: Case) -> None:
    """`df/dS[k,l] = Σ_ij ∂f/∂S[i,j] ∂S[i,j]/∂S[k,l]` over the free entries of a symmetric or diagonal variable S.

    Symmetric: `∂S[i,j]/∂S[k,l] = δ[i,k] δ[j,l] + δ[i,l] δ[j,k] − δ[i,j] δ[i,k] δ[j,l]`.

    Proof: the entries (k, l) and (l, k) change together, all others stay; for k = l the two are one, which the last
    term takes off again. Diagonal: `δ[i,j] δ[i,k] δ[j,l]`, as nothing off the diagonal changes.

    Source: Petersen and Pedersen, The Matrix Cookbook, (138); Magnus and Neudecker have it by the duplication matrix,
    3.8.

    Example: S: symmetric(n, n); x: (n,); derive(x @ S @ x, S, structured=True)
    """
    require(type(before) is Structured and isinstance(before.of, Entry), "the rule is about df/dS over free entries")
    head, (k, m) = before.entry.tensor, before.entry.indices
    require(not case.inside_derivative(), "a derivative of a derivative")
    i, j = (fresh(size) for size in head.sizes)
    on_diagonal = [Delta(i, j), Delta(i, k), Delta(j, m)]
    if case.facts.has(head, frozenset({"diagonal"})):
        slope = product_of(on_diagonal)
    else:
        require(case.facts.has(head, SYMMETRIC), f"{head.name} is declared neither symmetric nor diagonal")
        same, other = Times(Delta(i, k), Delta(j, m)), Times(Delta(i, m), Delta(j, k))
        slope = sum_of([same, other, product_of([Integer(-1), *on_diagonal])])
    expect(after, summed(Times(Derivative(before.of, Entry(head, i, j)), slope), [i, j]))
