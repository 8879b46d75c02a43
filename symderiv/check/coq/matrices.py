"""What is known of matrices: inverses, determinants, symmetric and orthogonal ones."""

from __future__ import annotations

from symderiv.check.coq.scripts import Scripts, then
from symderiv.check.coq.setting import Setting, unsupported
from symderiv.check.coq.units import Units
from symderiv.check.terms import fresh
from symderiv.index.nodes import Definition, Delta, Entry, Index, Tensor

SYMMETRIC = frozenset({"symmetric", "positive_definite", "diagonal"})


class Matrices(Units):
    """The hypotheses of a proof about matrices, and what follows from them."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.scripts = Scripts(setting.terms, self)
        self.proved: dict[Tensor, str | None] = {}
        self.lemmas: list[str] = []  # that have to stand before what uses them

    # -- symmetric and orthogonal ones

    def symmetric(self, head: Tensor) -> str | None:
        """Return the script of `S i j = S j i` for what is declared so, made of what is, or the inverse of it.

        No derivative is taken in such an S: its entries could not be independent.
        """
        found = self.symmetry(head)
        return None if found is None else f"exact: {found}"

    def symmetry(self, head: Tensor) -> str | None:
        """Return a proof of `symmetric S`."""
        setting = self.setting
        known = setting.definition(head)
        if known is None:
            declared = setting.context.traits.get(head.name, frozenset()) & SYMMETRIC
            if not declared or head in setting.variables or len(head.sizes) != 2:
                return None
            name = self.terms.head(head)
            return setting.hypothesis(("symmetric", head), f"{name}_symmetric", lambda: f"symmetric {name}")
        if len(head.sizes) != 2 or head in setting.opened:
            return None
        if known.kind == "inv":
            inner = self.symmetry(known.arguments[0])
            return None if inner is None else f"(inverse_symmetric {self.inverses(known)} {inner})"
        if head not in self.proved:
            self.proved[head] = self.by_text(head) if known.body is not None else None
        return self.proved[head]

    def by_text(self, head: Tensor) -> str | None:
        """Return the lemma that a matrix is symmetric whose text is, i and j exchanged, up to order."""
        i, j = (fresh(size) for size in head.sizes)
        one, other = (self.setting.text_at(Entry(head, *at)) for at in ((i, j), (j, i)))
        if i.size != j.size or not self.scripts.fits(one, other):
            return None
        text = f"exact: {self.setting.text(head)}"
        ways = [(one, text), (other, self.scripts.reorder(one, other)), (Entry(head, j, i), then("apply: esym", text))]
        script = self.scripts.route(Entry(head, i, j), ways)
        head_name = self.terms.head(head)
        lemma = self.setting.names.new(f"symmetric_{head_name}")
        moves = f"move=> {self.terms.index(i)} {self.terms.index(j)}"
        self.lemmas += [f"Lemma {lemma} : symmetric {head_name}.", f"Proof. by {moves}; {script}. Qed.", ""]
        return lemma

    def paired(self, one: Entry, other: Entry, over: Index) -> tuple[Delta, str] | None:
        """Return δ and the script of `Σ_q f[q] g[q] = δ` for a matrix and its inverse, or one that is orthogonal."""
        if len(one.indices) != 2 or len(other.indices) != 2:
            return None
        first, second = self.setting.definition(one.tensor), self.setting.definition(other.tensor)
        if one.indices[1] == over == other.indices[0]:
            ends = Delta(one.indices[0], other.indices[1])
            if second is not None and second.kind == "inv" and second.arguments[0] == one.tensor:
                return ends, f"exact: {self.inverses(second)}"
            if first is not None and first.kind == "inv" and first.arguments[0] == other.tensor:
                return ends, f"exact: (inverses_turned {self.inverses(first)})"
        if one.tensor == other.tensor and first is None and self.declared_orthogonal(one.tensor):
            for k in (0, 1):
                if one.indices[k] == over == other.indices[k]:
                    ends = Delta(one.indices[1 - k], other.indices[1 - k])
                    law = self.orthogonal(one.tensor)
                    return ends, f"exact: {law if k == 0 else f'(inverses_turned {law})'}"
        return None

    def declared_orthogonal(self, head: Tensor) -> bool:
        """Tell whether a matrix was declared orthogonal, and no derivative is taken in it."""
        declared = "orthogonal" in self.setting.context.traits.get(head.name, frozenset())
        return declared and head not in self.setting.variables

    def orthogonal(self, head: Tensor) -> str:
        """Return the hypothesis that `Vᵀ V = 1`."""
        name = self.terms.head(head)
        text = f"inverses (fun i j => {name} j i) {name}"
        return self.setting.hypothesis(("orthogonal", head), f"{name}_orthogonal", lambda: text)

    # -- inverses and determinants

    def inverses(self, known: Definition) -> str:
        """Return the hypothesis that a head is the inverse of a matrix: `N N⁻¹ = 1`."""
        if len(known.tensor.sizes) != 2:
            raise unsupported("inverse", "it is that of an array of four axes")
        names = [self.terms.head(t) for t in (*known.arguments, known.tensor)]
        return self.setting.hypothesis(
            ("inverse", known.tensor), f"{names[1]}_inverse", lambda: f"inverses {' '.join(names)}"
        )

    def inverse_of(self, argument: Tensor) -> Definition:
        """Return the definition of the inverse of a matrix."""
        for known in self.setting.context.definitions.values():
            if known.kind == "inv" and known.arguments == (argument,):
                return known
        raise unsupported("determinant", f"no head stands for the inverse of {argument.name}")

    def determinant(self, argument: Tensor) -> str:
        """Return the determinant of a matrix."""
        if len(argument.sizes) != 2:
            raise unsupported("determinant", "it is that of an array of four axes")
        return rf"\det (\matrix_(i, j) {self.terms.head(argument)} i j)"

    def is_determinant(self, known: Definition) -> str:
        """Return the hypothesis that a head is the determinant of a matrix."""
        name, text = self.terms.head(known.tensor), self.determinant(known.arguments[0])
        return self.setting.hypothesis(("det", known.tensor), f"{name}_text", lambda: f"{name} = {text}")

    def log_determinant(self, known: Definition, variable: Tensor) -> str:
        """Return the hypothesis about the derivative of `log|det N|`."""
        along = self.setting.letters(variable, [Index(c, s) for c in "ij" for s in known.arguments[0].sizes])
        slope, head = self.terms.slope(Entry(variable, *along)), self.terms.head(known.tensor)
        det = self.determinant(known.arguments[0])
        text = f"{slope} {head} = ({det})^-1 * {slope} ({det})"
        name = f"{self.terms.derivation(variable)}_{head}"
        return self.setting.hypothesis(
            ("logdet", known.tensor, variable), name, lambda: self.setting.for_all(along, text)
        )
