r"""Functions at their arguments: `h'(a_j)`, `\tanh^2(x)`, `\log\det A`, `\operatorname{softmax}(o)`."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lark import Token, Tree

from symderiv.latex.atoms import Atom, Node, elements, spot_of
from symderiv.latex.pieces import Piece, Spot, call
from symderiv.latex.ranges import Ranges

ELEMENTWISE_OF_MATRICES = frozenset(["log", "exp", "sin", "cos", "sqrt", "sinh", "cosh"])
REACHING = frozenset(["log", "sin", "cos", "tan"])  # `log (x)^2` is read in two ways
ARGUMENTS = {"maximum": 2, "minimum": 2, "kron": 2, "outer": 2}


class Functions(Ranges):
    """Reads calls of functions."""

    def operand(self, atoms: Sequence[Atom], at: int, what: str) -> tuple[Piece, int]:
        """Return what an operator without brackets acts on."""
        raise NotImplementedError

    def with_scripts(self, piece: Piece, atom: Atom) -> Piece:
        """Return a value with its scripts."""
        raise NotImplementedError

    def inner(self, element: Tree[Token]) -> Piece:
        """Return the formula that an element of a list is."""
        raise NotImplementedError

    def applied(self, name: str, kind: str, atoms: Sequence[Atom], at: int) -> tuple[Piece, int]:
        """Return a function at its arguments."""
        atom = atoms[at]
        order = self.order(atom, name, kind)
        following = atoms[at + 1] if at + 1 < len(atoms) else None
        if atom.below is not None:
            raise self.error(atom.spot, f"{name} is a function and has no entries", f"write ({name}(…))_{{i}}")
        if following is not None and following.kind == "bracketed" and not following.operator:
            if following.above and name in REACHING and kind == "built in":
                hint = rf"write \{name}^2(…), or brackets around the whole"
                raise self.ambiguous(following.spot, f"is this the power of {name}, or of what it acts on?", hint)
            arguments = [self.inner(e) for e in elements(following.base)]
            spot = (atom.spot[0], following.base_spot[1])
            found = self.called(name, kind, order, arguments, spot)
            found = self.raised_function(found, atom, order)
            return self.with_scripts(found, following), at + 2
        operand, end = self.operand(atoms, at, name)
        found = self.called(name, kind, order, [operand], (atom.spot[0], operand.spot[1]))
        return self.raised_function(found, atom, order), end

    def order(self, atom: Atom, name: str, kind: str) -> int:
        """Return the order of the derivative that primes say, or `h^{(3)}`."""
        order = atom.primes
        for above in atom.above:
            if self.is_order(above):
                order += int(self.layout.text[slice(*spot_of(above))].strip("{() }"))
        if order and not self.is_scalar_function(name, kind):
            hint = r"write \frac{\partial f}{\partial x}"
            raise self.error(atom.spot, f"{name} has no derivative that is written with a prime", hint)
        return order

    def is_order(self, above: Node) -> bool:
        text = self.layout.text[slice(*spot_of(above))].replace(" ", "").strip("{}")
        return text.startswith("(") and text.strip("()").isdigit()

    def raised_function(self, found: Piece, atom: Atom, order: int) -> Piece:
        r"""Return `\tanh^2(x)`: the power of a value."""
        for above in atom.above:
            if self.is_order(above):
                continue
            sign, word = self.mark(above)
            if sign or word == "T":
                hint = r"write brackets around the value, or the name of the inverse function"
                raise self.ambiguous(spot_of(above), "an inverse function, or one over the value?", hint)
            exponent = self.exponent(above)
            if found.rank:
                hint = "write brackets and a power of entries, (…)^{\\odot 2}"
                raise self.ambiguous(found.spot, "the power of an array", hint)
            found = self.raised(found, exponent, found.spot)
        return found

    def called(self, name: str, kind: str, order: int, arguments: list[Piece], spot: Spot) -> Piece:
        """Return a call."""
        for a in arguments:
            if a.identity is not None:
                raise self.error(a.spot, "the size of I cannot be told here")
        row = len(arguments) == 1 and arguments[0].row
        if kind == "built in" or kind == "text":
            return self.built_in(name, order, arguments, spot)
        function: ast.expr = ast.Name(id=name, ctx=ast.Load())
        if order:
            function = call("diff", function, *([ast.Constant(value=order)] if order > 1 else []))
        node = ast.Call(func=function, args=[a.node for a in arguments], keywords=[])
        return self.read_shape(node, spot, row and kind == "entrywise")

    def built_in(self, name: str, order: int, arguments: list[Piece], spot: Spot) -> Piece:
        """Return a call of a function of the language."""
        count = ARGUMENTS.get(name, 1)
        if len(arguments) != count:
            raise self.error(spot, f"{name} takes {count} argument{'s' * (count > 1)}, {len(arguments)} given")
        first = arguments[0]
        if name in ELEMENTWISE_OF_MATRICES and first.is_square:
            hint = "name it in the declarations, where exp is entry by entry: P = exp(S)"
            raise self.ambiguous(spot, f"is this {name} of a matrix taken entry by entry?", hint)
        nodes = [a.node for a in arguments]
        if name in ("softmax", "logsumexp"):
            if first.rank != 1:
                raise self.misfit(f"{name} of what is no vector", spot, "name it in the declarations", first)
            nodes.append(ast.Constant(value=0))
        if order:
            inner = call("diff", ast.Name(id=name, ctx=ast.Load()), *([ast.Constant(value=order)] if order > 1 else []))
            return self.read_shape(ast.Call(func=inner, args=nodes, keywords=[]), spot, first.row)
        return self.read_shape(call(name, *nodes), spot, first.row)
