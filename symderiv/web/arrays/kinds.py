"""Kinds of numbers: truth values, integers, unsigned ones modulo 2⁶⁴, floats, complex numbers."""

from __future__ import annotations

from typing import Any

WORD = (1 << 64) - 1
ORDER = "biufc"
OF_TYPES = {bool: "b", int: "i", float: "f", complex: "c"}


class DType:
    """A kind under NumPy's name; calling it makes a number of Python's."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind

    def __call__(self, value: Any = 0) -> Any:
        return cast([value], kind_of_value(value), self.kind)[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (DType, type)) and kind_of(other) == self.kind

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return self.name


KINDS = {
    "bool_": "b", "int8": "i", "int32": "i", "int64": "i", "intp": "i", "uint64": "u", "float64": "f",
    "complex128": "c",
}  # fmt: skip
DTYPES = {name: DType(name, kind) for name, kind in KINDS.items()}
OF_KINDS = {"b": DTYPES["bool_"], "i": DTYPES["int64"], "u": DTYPES["uint64"], "f": DTYPES["float64"],
            "c": DTYPES["complex128"]}  # fmt: skip


def kind_of(dtype: Any) -> str:
    """Return the kind that a dtype or a type of Python's stands for."""
    return dtype.kind if isinstance(dtype, DType) else OF_TYPES[dtype]


def kind_of_value(value: Any) -> str:
    """Return the kind of one number."""
    return OF_TYPES.get(type(value)) or next(k for t, k in OF_TYPES.items() if isinstance(value, t))


def joined(kinds: Any) -> str:
    """Return the kind that holds numbers of all these kinds."""
    return max(kinds, key=ORDER.index, default="f")


def cast(values: list[Any], kind: str, to: str) -> list[Any]:
    """Return numbers as another kind."""
    if kind == to:
        return values
    match to:
        case "b":
            return [bool(v) for v in values]
        case "i":
            if kind == "u":
                return [v - (WORD + 1) if v >> 63 else v for v in values]
            return [int(v.real) for v in values]
        case "u":
            return [int(v) & WORD for v in values]
        case "f":
            return [float(v.real) for v in values]
    return [complex(v) for v in values]
