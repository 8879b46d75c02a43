"""The slips that `make mutants-rules` makes: in what is run, each a change, and the source stays as it is."""

from __future__ import annotations

import inspect

from slips import noting, slips

import symderiv.index.rules as rules

SOURCE = '''
class Box:
    def larger(self, a: int | None, b=3) -> bool:
        """Tell whether a > 2 * b."""
        if a is None:
            raise ValueError("no number" + "s")
        return a > b * 2 and not self
'''


def test_what_is_run_is_changed_and_nothing_else() -> None:
    found = [str(slip).split("\n")[1].removeprefix("  + ") for slip in slips(SOURCE)]
    assert found == [
        "a is not None", "return None", "a > b * 2 or not self", "not self", "a > b * 2",
        "a >= b * 2", "b + 2", "3", "1", "self",
    ]  # fmt: skip
    assert {slip.function for slip in slips(SOURCE)} == {"Box.larger"}
    assert {slip.line for slip in slips(SOURCE)} == {5, 7}


def test_a_slip_is_code_of_its_function() -> None:
    first = next(slip for slip in slips(inspect.getsource(rules)) if slip.function == "delta")
    assert first.code.co_qualname == "delta"
    assert first.code != rules.RULES["delta"].__code__


def test_lines_are_noted_before_they_are_run() -> None:
    lines: list[int] = []
    function = noting("def f(x):\n    if x:\n        return 1\n    return 2\n", "note").co_consts[0]
    run = type(test_a_slip_is_code_of_its_function)(function, {"note": lines.append})
    assert (run(True), lines) == (1, [2, 3])
