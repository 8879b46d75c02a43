"""A module to take along: value and derivatives as plain NumPy, and beside it a pytest file that checks them.

Neither needs symderiv.  The tests draw random arguments for which the assumptions hold and hold every derivative
against central differences of what it is one of: gradients against the value, second derivatives against gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symderiv import dims
from symderiv.aside import write_aside
from symderiv.code.compiled import compiled
from symderiv.code.generated_tests import MOODS, Checked, Drawing, Variable, checks_source, support_source
from symderiv.code.numpy import functions_source
from symderiv.code.packing import PackedModule
from symderiv.code.source import Source, checked_name
from symderiv.errors import ParseError, ShapeError, UnsupportedError
from symderiv.inputs import Shapes
from symderiv.packing import Flattened
from symderiv.results import code_source, shown
from symderiv.several import Gradients, gradients
from symderiv.tensor.array import Tensor
from symderiv.tensor.expr import walk

RESERVED = frozenset({
    "np", "pytest", "signature", "seeds", "arguments", "call", "agree", "moved", "rotated", "difference",
    "entries", "symmetric_entries", "diagonal_entries", "rotations", "exchanges", "positive_definite", "symmetric",
})  # fmt: skip
SEEDS = 3
TRIES = 40
SECOND = ("hvp", "hessian")


@dataclass(frozen=True)
class Generated:
    """A module and its tests, as text."""

    name: str
    module: str
    tests: str

    @property
    def files(self) -> dict[str, str]:
        """Return the texts by the names of their files."""
        return {f"{self.name}.py": self.module, f"test_{self.name}.py": self.tests}

    def write(self, folder: str | Path) -> list[Path]:
        """Write both files into a folder, which is made where it is missing, and return their paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / name for name in self.files]
        for path, text in zip(paths, self.files.values(), strict=True):
            write_aside(path, text.encode())
        return paths


def generate(
    expr: Any,
    wrt: Any,
    *,
    name: str = "loss",
    second: Sequence[str] = (),
    flat: bool = False,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> Generated:
    """Return a NumPy module `name` with value and derivatives of an expression, and a pytest file that checks it.

    The module has `name`, the value, and `name_and_gradient` (of one variable) or `name_and_gradients` (of a list:
    a dictionary); with `second` also `name_hvp`, `name_hessian`.  `flat=True` adds functions of one flat vector, as
    :meth:`Gradients.to_numpy` does.

    >>> found = generate(
    ...     "norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)}
    ... )
    >>> sorted(found.files)
    ['loss.py', 'test_loss.py']
    >>> [line for line in found.module.splitlines() if line.startswith("def")]
    ['def loss(X, w, y):', 'def loss_and_gradient(X, w, y):']
    """
    g = gradients(expr, wrt, shapes=shapes, assume=assume, functions=functions, structured=structured)
    keyed = not isinstance(wrt, (str, Tensor)) or flat
    return _Generator(g, _module_name(name, g), _second(second), keyed, flat).generated()


def _module_name(name: str, g: Gradients) -> str:
    checked_name(name)
    if name in RESERVED or name in g.declared.taken:
        raise ParseError(f"{name} is in use and cannot be the name of the module", hint='give another: name="…"')
    return name


def _second(words: Any) -> tuple[str, ...]:
    found = (words,) if isinstance(words, str) else tuple(words)
    unknown = [word for word in found if word not in SECOND]
    if unknown:
        raise ParseError(f"{unknown[0]!r} is no second derivative", hint=f"choose from {', '.join(SECOND)}")
    return found


class _Generator:
    def __init__(self, g: Gradients, name: str, second: tuple[str, ...], keyed: bool, flat: bool) -> None:
        self.g, self.name, self.second, self.keyed, self.flat = g, name, second, keyed, flat
        self.flattened = Flattened(g.function, g.wrt, self.first(), g.declared, f"{name}_hvp", f"{name}_hessian")
        if (second or flat) and g.function.rank:
            shapes = {"function": dims.written(g.function.shape)}
            raise ShapeError("second derivatives and flat vectors are for numbers here", shapes=shapes, hint="sum it")
        if (second or flat) and g.structures:
            kept = ", ".join(g.structures)
            hint = "leave structured=False: entries count as independent"
            raise UnsupportedError(f"second derivatives and flat vectors hold every entry of {kept}", hint=hint)

    def generated(self) -> Generated:
        packing = self.flattened.packing(*self.words())
        sources = [self.value(), *packing.sources]
        if self.flat:
            module = PackedModule(replace(packing, more=(sources[0],)))
            text, flat = module.text(), {w: module.word[w] for w in ("pack", "unpack", "fun", *self.words())}
        else:
            sources = [self.unkeyed(s) for s in sources]
            text, flat = functions_source(sources)[0], {}
        variables = [Variable(x.name, frozenset(x.data[1]), bool(self.g.structures)) for x in self.g.wrt]
        checked = Checked(
            self.name, self.name, self.flattened.gradients.name, variables, self.keyed,
            packing.product.name if packing.product else "", packing.directions,
            packing.blocks.name if packing.blocks else "", flat,
        )  # fmt: skip
        drawing, seeds = self.drawn(checked, sources, text)
        return Generated(self.name, text, checks_source(checked, drawing, seeds))

    # -- sources

    def value(self) -> Source:
        """Return the source of the value alone."""
        summary = f"Value of {shown(self.g.function, self.g.functions)}."
        return code_source(self.name, [self.g.value.expr], [self.g.function], summary, (), self.g.declared)

    def first(self) -> Source:
        """Return the source of the value with the first derivatives."""
        what = "jacobian" if self.g.function.rank else "gradient"
        return self.g.source(f"{self.name}_and_{what}{'s' if self.keyed else ''}")

    def words(self) -> tuple[str, ...]:
        return tuple({"hvp": "hessp", "hessian": "hess"}[word] for word in self.second)

    def unkeyed(self, source: Source) -> Source:
        return source if self.keyed else replace(source, keys=())

    # -- arguments for the tests

    def drawn(self, checked: Checked, sources: Sequence[Source], module: str) -> tuple[Drawing, list[int]]:
        """Return how arguments are drawn, and seeds at which the value is finite and has a slope all around."""
        arguments = {a.name: a for s in sources for a in s.arguments if a.name not in checked.directions}
        variables = {e.name: e for e in walk(self.g.function, *self.g.wrt) if e.op == "var"}
        variables |= {e.name: e for e in self.g.declared.arrays if e.name not in variables}
        orders = {label: order for (_, order), label in self.g.functions.items()}
        first = compiled(module, checked.first)
        for mood in MOODS:
            drawing = Drawing(list(arguments.values()), variables, orders, mood)
            space = _Space(support_source(checked, drawing))
            seeds = []
            for seed in range(TRIES):
                if space.is_smooth(first, checked, seed):
                    seeds.append(seed)
                if len(seeds) == SEEDS:
                    return drawing, seeds
        raise UnsupportedError(
            "no random arguments were found at which the function has values and slopes",
            hint='say what is assumed of its arrays, such as assume={"x": "positive"}',
        )


class _Space:
    """The functions of the test file that draw arguments and move them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.functions: dict[str, Callable[..., Any]] = {}

    def __getitem__(self, name: str) -> Callable[..., Any]:
        if name not in self.functions:
            self.functions[name] = compiled(self.text, name)
        return self.functions[name]

    def is_smooth(self, first: Callable[..., Any], checked: Checked, seed: int) -> bool:
        """Tell whether value and derivatives are finite, and differences of two widths agree: no kink is near."""
        import numpy as np

        with np.errstate(all="ignore"):
            given = self["arguments"](seed)
            names = first.__code__.co_varnames[: first.__code__.co_argcount]

            def at(name: str, x: Any) -> list[Any]:
                value, found = first(**{n: (given | {name: x})[n] for n in names})
                return [value, *(found.values() if checked.keyed else [found])]

            for x in checked.variables:
                for step in self[x.steps](given[x.name]):

                    def moved(t: float, x: Variable = x, step: Any = step) -> Any:
                        parts = at(x.name, self[x.moved](given[x.name], step, t))
                        return np.concatenate([np.ravel(part) for part in parts])

                    wide, narrow = self["difference"](moved), self["difference"](moved, h=2e-4)
                    scale = 1e-6 * (1 + np.abs(wide).max(initial=0))
                    if not (np.isfinite(moved(0)).all() and np.allclose(wide, narrow, rtol=1e-5, atol=scale)):
                        return False
        return True


__all__ = ["Generated", "generate"]
