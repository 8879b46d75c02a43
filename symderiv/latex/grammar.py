r"""The grammar of formulas, and the tree of one: chains of sides, sides of products, products of factors with scripts.

What a factor means (is `W_{kl}` an entry or a name, is `h(a)` a value or a product?) is decided when the tree is
translated, where names and shapes are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.lexer import Lexer

from symderiv.errors import ParseError
from symderiv.latex.source import Layout

GRAMMAR = r"""
start: chain (NEXT chain)*
chain: sum (EQUAL sum)*
sum: (PLUS | MINUS)? product ((PLUS | MINUS) product)*
product: factor (OPERATOR? factor)*
factor: _atom script*
script: CARET _argument   -> above
      | UNDER _argument   -> below
      | PRIME             -> prime
_argument: word | group | PLUS | fonted | accented
_atom: word | group | bracketed | fraction | root | norm | bars | angles | underbraced | fonted | accented | BIG
     | PARTIAL | NABLA | DOTS
word: WORD | NUMBER | SYMBOL | NAME | TEXT | TOP
group: LBRACE _list? RBRACE
bracketed: LPAR _list RPAR | LSQUARE _list RSQUARE | LCURLY _list RCURLY
_list: element (COMMA element)*
element: sum (_relation sum)? | EQUAL sum -> equals | COLON -> all | PLUS -> plus | OPERATOR sum -> operated
_relation: EQUAL | RELATION
fraction: FRAC _argument _argument
root: SQRT (LSQUARE sum RSQUARE)? _argument
norm: NORML sum NORMR
bars: ABSL sum ABSR
angles: LANGLE _list RANGLE
underbraced: UNDERBRACE _argument
fonted: FONT _argument
accented: ACCENT _argument
%declare NEXT EQUAL RELATION PLUS MINUS OPERATOR CARET UNDER PRIME BIG PARTIAL NABLA DOTS WORD NUMBER SYMBOL
%declare NAME TEXT TOP
%declare LBRACE RBRACE LPAR RPAR LSQUARE RSQUARE LCURLY RCURLY COMMA COLON FRAC SQRT NORML NORMR ABSL ABSR
%declare LANGLE RANGLE UNDERBRACE FONT ACCENT
"""

SAID = {
    "RBRACE": "}", "RPAR": ")", "RSQUARE": "]", "RCURLY": r"\}", "NORMR": r"\|", "ABSR": "|", "RANGLE": r"\rangle",
    "COMMA": ",", "LBRACE": "{", "EQUAL": "=",
}  # fmt: skip
STARTS = frozenset(["WORD", "NUMBER", "SYMBOL"])


class _Given(Lexer):
    """Hands on the tokens that the layout found."""

    def __init__(self, conf: Any) -> None:
        del conf

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]
        """Yield the tokens."""
        yield from data


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer=_Given, propagate_positions=True, keep_all_tokens=False)


def parsed(layout: Layout) -> Tree[Token]:
    """Return the tree of laid-out tokens; a formula that is none is refused with what was expected."""
    try:
        tree: Tree[Token] = _parser().parse(layout.tokens)
        return tree
    except UnexpectedToken as err:
        raise _slip(err, layout) from None
    except (UnexpectedInput, RecursionError):
        raise ParseError("the LaTeX cannot be read") from None


def _slip(err: UnexpectedToken, layout: Layout) -> ParseError:
    """Return the error for a formula that ends or goes on where it should not."""
    token: Token = err.token
    expected = set(err.accepts or err.expected)
    ends = token.type == "$END"
    wanted = _wanted(expected)
    if ends:
        last = layout.tokens[-1].end_pos or 0
        return ParseError(f"the formula ends where {wanted} is expected", place=layout.place(max(last - 1, 0), last))
    start, end = token.start_pos or 0, token.end_pos
    if token.type == "NEXT":
        return ParseError(f"the line ends where {wanted} is expected", place=layout.place(start - 1, start))
    shown = layout.text[start:end]
    message = f"{shown} stands where {wanted} is expected"
    return ParseError(message, place=layout.place(start, end), hint=_hint(token, layout))


def _wanted(expected: set[str]) -> str:
    """Return in words what may come."""
    if "NEXT" in expected:
        return "an operation or the end"
    closing = [SAID[kind] for kind in SAID if kind in expected and kind not in ("COMMA", "LBRACE", "EQUAL")]
    if closing:
        return " or ".join(closing)
    if expected >= STARTS:
        return "a factor"
    return " or ".join(sorted(SAID.get(kind, kind.lower()) for kind in expected if kind != "$END")) or "nothing more"


def _hint(token: Token, layout: Layout) -> str:
    match token.type:
        case "COLON":
            return "definitions stand in the declarations: A = D @ W"
        case "RELATION":
            return "equalities are checked; an approximation is a claim `with neglecting(…)` in statements"
        case "CARET" | "UNDER":
            return "a script stands behind a symbol; write x^{a}_{b}"
        case "RBRACE" | "RPAR" | "RSQUARE" | "RCURLY":
            return "brackets and braces come in pairs"
    return ""
