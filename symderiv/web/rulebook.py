"""What the page says of a rule: its page of the reference, the example left to be worked."""

from __future__ import annotations

from typing import Any

from symderiv.reference.pages import page
from symderiv.web.asked import Asked


def rule(question: Asked) -> dict[str, Any]:
    """Return the statement of a rule, its proof and its source.

    >>> rule(Asked("rule", name="linearity"))["statement"]
    '`∂(f + g)/∂x = ∂f/∂x + ∂g/∂x`.'
    """
    found = page(question.name)
    return {"name": found.name, "statement": found.statement, "proof": found.proof, "source": found.source}


ANSWERS = {"rule": rule}
