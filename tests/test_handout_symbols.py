"""The table of symbols."""

from __future__ import annotations

import pytest

from symderiv.handout.build import read_and_decide

TEXT = """---
display: {loss: E}
symbols: %s
---
# One

```symderiv
D: (m, n)
S: symmetric(n, n)
h: elementwise()
loss: function()
alpha: positive()
A = h(D @ S)
E = loss(A)
assert A == A
```

# Two

```symderiv
A: (k,)
for t in range(1, T + 1):
    x[t]: (d,)
    s[t] = sum(x[t]) * A
y: index(k)
assert A == A
```
"""


@pytest.fixture
def rows(tmp_path):
    def make(symbols, **chosen):
        path = tmp_path / "notes.md"
        path.write_text(TEXT % symbols, encoding="utf-8")
        one = read_and_decide(path, **chosen)
        return {name: (shape, meaning) for name, shape, meaning in one.document.symbols}, one.records

    return make


def test_every_name_with_its_shape(rows):
    found, _ = rows("true")
    assert found == {
        "D": (r"$m\times n$", ""),
        "S": (r"$n\times n$", "symmetric"),
        "h": ("", "function, applied entry by entry"),
        "E": ("number", "function, $E(A)$"),
        r"\alpha": ("number", r"$\in \mathbb{R}_{>0}$"),
        "A": (r"$m\times n$, $k$", r"$h(D\,S)$"),
        "x_{t}": ("$d$", ""),
        "s_{t}": ("$k$", r"$\mathbf{1}^{\top} x_{t}\,A$"),
        "y": ("number", r"$y \in \{1, \dots, k\}$"),
        r"m,\, n,\, k,\, d": ("number", "sizes"),
    }


def test_the_author_chooses_which_and_says_what_they_mean(rows):
    found, records = rows('{"x[t]": the inputs, A: the sums}')
    assert list(found) == ["x_{t}", "A", r"m,\, n,\, k,\, d"]
    assert found["A"] == (r"$m\times n$, $k$", r"the sums, $h(D\,S)$")
    assert all(r.as_expected for r in records)


def test_a_meaning_of_nothing_is_a_fault(rows):
    _, records = rows("{q: nothing}")
    (fault,) = (r for r in records if not r.as_expected)
    assert "no symbol is called 'q'" in fault.condition and "notes.md, line 3, column 11" in fault.condition


def test_no_table_where_none_is_wanted(rows):
    assert rows("false")[0] == {}


def test_the_words_are_those_of_the_language(rows):
    assert rows("true", language="de")[0]["S"][1] == "symmetrisch"
