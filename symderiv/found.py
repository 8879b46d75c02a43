"""What results have in common: the function they are of, names of unknown functions, notes, one part a variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from symderiv.conventions import assumptions, differs, notes, without_trait
from symderiv.errors import UnknownNameError
from symderiv.results import Declared, Result
from symderiv.shown import Shown
from symderiv.structured import structures
from symderiv.tensor.expr import Expr, replaced
from symderiv.tensor.parse import without_symmetry
from symderiv.tensor.text import FunctionName


class Found(Shown):
    """What is found of a function and some of its variables; it says what it rests on."""

    function: Expr
    declared: Declared

    @property
    def _variables(self) -> tuple[Expr, ...]:
        """The variables that were differentiated in."""
        raise NotImplementedError

    @property
    def _structures(self) -> Mapping[str, str]:
        """The variables whose free entries alone were counted, with their structure."""
        return {}

    @property
    def _told_apart(self) -> Result | str:
        """What is another text where the result is another one."""
        raise NotImplementedError

    def _again(self, function: Expr, wrt: Sequence[Expr]) -> Found:
        """Return the same of a function and variables of which something else is assumed."""
        raise NotImplementedError

    @property
    def functions(self) -> Mapping[FunctionName, str]:
        """Return the names of unknown functions and of their derivatives."""
        return self.declared.functions

    @property
    def _bare(self) -> dict[Expr, Expr]:
        """Each variable, and the same with entries that are independent."""
        return {x: without_symmetry(x) for x in self._variables}

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the convention, the assumptions that matter, how structure was counted, what holds at kinks."""
        return self.noted("en")

    def noted(self, language: str) -> tuple[str, ...]:
        """Return the notes in a language."""
        return notes(self.function, self._variables, self._assumed, self._structures, self.functions, language)

    @cached_property
    def _assumed(self) -> dict[str, tuple[str, ...]]:
        return assumptions(self.function, self._variables, self._needs)

    def _needs(self, name: str, trait: str) -> bool:
        """Tell whether the result is another one without an assumption."""
        change = without_trait(self.function, name, trait)
        for x in self._variables:
            change |= without_trait(x, name, trait)
        function, wrt = replaced(self.function, change), [change.get(x, x) for x in self._variables]
        if self._structures and structures(wrt) != self._structures:
            return True
        return differs(self._told_apart, lambda: self._again(function, wrt)._told_apart)


class OfSeveral(Found):
    """What has a part for each of several variables: `found["W"]`; iterating gives the names."""

    wrt: tuple[Expr, ...]
    what: ClassVar[str]  # the word for a part

    @property
    def _variables(self) -> tuple[Expr, ...]:
        return self.wrt

    def statements(self) -> str:
        """Return definitions and parts as statements."""
        raise NotImplementedError

    @property
    def _told_apart(self) -> str:
        return self.statements()

    def _alone(self, x: Expr, clipped: bool = True) -> Expr:
        """Return the part that belongs to a variable, definitions put in."""
        raise NotImplementedError

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the variables."""
        return tuple(x.name for x in self.wrt)

    @property
    def value(self) -> Result:
        """Return the function itself."""
        return Result(self.function, self.functions, self.declared.origin)

    @cached_property
    def results(self) -> dict[str, Result]:
        """Return each part, definitions put in, by name."""
        return {x.name: Result(self._alone(x), self.functions, self.declared.origin) for x in self.wrt}

    def __getitem__(self, name: str) -> Result:
        """Return the part that belongs to a variable."""
        if name not in self.names:
            raise UnknownNameError(f"no {self.what} in {name!r}", hint=f"there are those in {', '.join(self.names)}")
        return self.results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.wrt)


__all__ = ["Found", "OfSeveral"]
