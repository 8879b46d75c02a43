"""As much of NumPy as exact evaluation and its floats ask for, in plain Python: for browsers, where NumPy is not.

An array is a shape and a flat list, row by row; every operation makes a new one.  Sizes there are small (a few
points, a handful of entries), so that plain lists serve.  What is not here is refused by name.  Random numbers are
others than NumPy's; everything else agrees with it, which the tests hold it to.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.web.arrays import creating, functions, linalg, random, rearranging
from symderiv.web.arrays.array import Array
from symderiv.web.arrays.kinds import DTYPES

MODULES = (creating, functions, rearranging)


class NotHereError(UnsupportedError, AttributeError):
    """A part of NumPy that is not here."""


def stand_in() -> None:
    """Let this answer to the name `numpy`, where nothing does."""
    found = module()
    sys.modules.update({"numpy": found, "numpy.typing": found.typing})


def module() -> Any:
    """Return a module with NumPy's names.

    >>> np = module()
    >>> (np.eye(2) @ np.array([1.0, 2.0]) + np.arange(2)).tolist()
    [1.0, 3.0]
    """
    found: Any = ModuleType("numpy")
    found.__version__ = "0"
    for part in MODULES:
        for name in part.__all__:
            setattr(found, name, getattr(part, name))
    for name, dtype in DTYPES.items():
        setattr(found, name, dtype)
    found.ndarray = Array
    found.nan, found.inf, found.pi, found.newaxis = float("nan"), float("inf"), functions.PI, None
    found.linalg, found.random = linalg, random
    typing: Any = ModuleType("numpy.typing")
    typing.NDArray = typing.ArrayLike = list
    found.typing = typing

    def missing(name: str) -> Any:
        raise NotHereError(f"numpy.{name} is not here", hint="the installed package has it")

    found.__getattr__ = missing
    return found
