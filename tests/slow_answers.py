"""Answers that need no engine, for the tests of what stands between a question and its answer."""

from __future__ import annotations

import os
from time import sleep
from typing import Any


def slowly(question: dict[str, Any]) -> dict[str, Any]:
    """Sleep as long as is asked, or die where that is asked; tell which process answers."""
    if question.get("die"):
        os._exit(1)
    if question.get("fail"):
        raise RuntimeError("a defect")
    sleep(float(question.get("seconds", 0)))
    return {"ok": True, "process": os.getpid(), **question}
