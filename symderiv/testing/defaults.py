"""What the options of a test run set: the seed of all random points, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SEED = 2**32
MARK = "symderiv"  # the first word behind the fence of a block in Markdown


@dataclass
class Settings:
    """The seed that points and directions are drawn from, and how many directions of each are tried."""

    seed: int = 0
    samples: int = 8


settings = Settings()
