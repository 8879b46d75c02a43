"""A proof with what it may use, as it is checked and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symderiv.check.kernel import check
from symderiv.errors import ProofError
from symderiv.index.nodes import Argument, Context


@dataclass(frozen=True)
class Part:
    """A proof with what it may use: its arguments, their context, and other proofs that it cites."""

    arguments: tuple[Argument, ...]
    context: Context
    cited: Mapping[str, Sequence[Argument]] = field(default_factory=dict)

    def check(self) -> None:
        """Have the kernel examine every step; raise :class:`symderiv.ProofError` at the first bad one."""
        try:
            check(self.arguments, self.context, self.cited)
        except RecursionError:
            raise ProofError("an expression is nested too deep to be checked") from None

    @property
    def claim(self) -> Argument:
        """Return what the proof ends with."""
        return self.arguments[-1]
