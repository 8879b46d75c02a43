"""From text to a syntax tree: what is refused before anything is read, and how a slip of the pen is told.

Bounds on length and nesting keep hostile texts cheap.  Characters that do not print, that turn the reading
order around, or that Python would read as others are refused, so that what is shown is what is read.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
import warnings
from threading import Lock
from typing import TypeVar

from symderiv import trees
from symderiv.errors import ParseError, Place

MOST_CHARACTERS = 200_000
MOST_NESTING = 100

ONE_EXPRESSION = "a text is one expression; statements stand in a Sheet"
TYPED = {
    "−": "-", "–": "-", "—": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "∘": "*", "÷": "/", "≤": "<=", "≥": ">=",
    "²": "**2", "³": "**3", "ᵀ": ".T", "⊤": ".T", "⁻": "inv(…)", "⊗": "kron(…)", "√": "sqrt(…)", "∑": "sum(…)",
    "∙": "*", "•": "*", "⊙": "*", "‖": "norm(x)", "†": ".T",
    "‘": "'", "’": "'", "“": "'", "”": "'", "′": "a name such as x_1", "\\": "solve(A, b)", "^": "**",
}  # fmt: skip
PRODUCT = "write * for a product of numbers, @ for one of matrices"
LAMBDA = "lambda is a word of Python; write lam, which prints as λ"

NAMED = {
    ast.Lambda: "a lambda", ast.List: "a list", ast.Tuple: "a tuple", ast.Set: "a set", ast.Dict: "a dictionary",
    ast.ListComp: "a comprehension", ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a generator", ast.IfExp: "a conditional expression", ast.NamedExpr: "an assignment",
    ast.BoolOp: "and, or", ast.JoinedStr: "a formatted text", ast.Await: "await", ast.Yield: "yield",
    ast.YieldFrom: "yield", ast.Starred: "a starred argument", ast.Slice: "a slice", ast.Attribute: "an attribute",
    ast.FloorDiv: "//", ast.Mod: "%", ast.BitXor: "^", ast.BitOr: "|", ast.BitAnd: "&", ast.LShift: "<<",
    ast.RShift: ">>", ast.Not: "not", ast.Invert: "~",
}  # fmt: skip
INSTEAD = {
    ast.IfExp: "write where(x > 0, x, 0)",
    ast.BoolOp: "conditions stand in where; nest it for more than one",
    ast.Not: "turn the comparison round",
    ast.NamedExpr: ONE_EXPRESSION,
    ast.BitXor: "write ** for a power of every entry, matrix_power(A, 2) or inv(A) for one of a matrix",
    ast.Mod: "write * or @ for a product",
    ast.GeneratorExp: "write sum(x) for the sum of the entries",
    ast.List: "arrays are declared by name and shape",
    ast.Tuple: "one text is one expression",
}

# Python's remarks on a text (`2in`, `"\\("`) are none that its author can do anything about.  Which warnings are shown
# is one setting for all threads, so that one thread at a time changes it.
_SILENT = Lock()

Tree = TypeVar("Tree", ast.Expression, ast.Module)


def named(node: ast.AST) -> str:
    """Return what a reader calls a piece of syntax."""
    return NAMED.get(type(node), f"this use of {type(node).__name__}")


def instead(node: ast.AST) -> str:
    """Return what to write instead of a piece of syntax."""
    return INSTEAD.get(type(node), "")


def expression_tree(text: str) -> ast.expr:
    """Return the syntax tree of one expression, within the bounds of length and nesting."""
    check_bounds(text)
    stripped = text.strip()
    if all(not line.strip() or line.lstrip().startswith("#") for line in stripped.split("\n")):
        raise ParseError("the text is empty", hint='write an expression, such as "x @ A @ x"')
    try:
        with _SILENT, warnings.catch_warnings(action="ignore"):
            return trees.expression(stripped)
    except SyntaxError as err:
        raise _slip(err, stripped, "an expression") from None
    except (RecursionError, MemoryError, ValueError):
        raise too_deep() from None


def statement_tree(text: str, source: str = "") -> ast.Module:
    """Return the syntax tree of a block of statements."""
    check_bounds(text, source)
    try:
        with _SILENT, warnings.catch_warnings(action="ignore"):
            return trees.module(text)
    except SyntaxError as err:
        raise _slip(err, text, "a statement", source) from None
    except (RecursionError, MemoryError, ValueError):
        raise too_deep() from None


def too_deep() -> ParseError:
    """Return the error for what is nested beyond what can be read."""
    return ParseError("the text is nested too deeply", hint="name intermediate results and write them as statements")


# ---------------------------------------------------------------- before the parser


def check_bounds(text: str, source: str = "") -> None:
    """Refuse texts too long or nested too deeply to be meant, and characters that hide something."""
    if not isinstance(text, str):
        raise ParseError(f"a text is expected, not {type(text).__name__}")
    if len(text) > MOST_CHARACTERS:
        raise ParseError(
            f"the text has {len(text)} characters, more than {MOST_CHARACTERS}",
            hint="name intermediate results and write them as statements",
        )
    depth = 0
    for offset, character in enumerate(text):
        if character in "([{":
            depth += 1
            if depth > MOST_NESTING:
                raise ParseError(
                    f"more than {MOST_NESTING} brackets inside one another",
                    place=_place(text, offset, source),
                    hint="name intermediate results and write them as statements",
                )
        elif character in ")]}":
            depth -= 1
        elif character > "\x7f":
            _check_character(text, offset, source)
        elif character == "\0":
            raise ParseError("the text holds a null character", place=_place(text, offset, source))


def _check_character(text: str, offset: int, source: str) -> None:
    character = text[offset]
    kind = unicodedata.category(character)
    if kind in ("Cf", "Cs", "Cc", "Co", "Cn", "Zl", "Zp"):
        name = unicodedata.name(character, f"U+{ord(character):04X}")
        raise ParseError(
            f"the text holds a character that does not show, {name}",
            place=_place(text, offset, source),
            hint="delete it, or type the text anew",
        )
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and character.isidentifier():
        raise ParseError(
            f"{character!r} is read as {plain!r}",
            place=_place(text, offset, source),
            hint=f"write {TYPED.get(character, f'{plain} itself')}",
        )


def _place(text: str, offset: int, source: str) -> Place:
    start = text.rfind("\n", 0, offset) + 1
    return Place(text, offset - start, offset - start + 1, text.count("\n", 0, offset) + 1, source)


# ---------------------------------------------------------------- after it


def _slip(err: SyntaxError, text: str, wanted: str, source: str = "") -> ParseError:
    """Return the error for a text that Python cannot read, with what was probably meant."""
    lines = re.split(r"\r\n|\r|\n", text)
    number = min(max(err.lineno or 1, 1), len(lines))
    column = (err.offset or 0) - 1
    if column < 0 or not err.lineno:  # the text ends where something is missing
        number, column = len(lines), len(lines[-1])
    line = lines[number - 1]
    ends = column >= len(line.rstrip()) and number == len(lines)
    message = f"not {wanted}: {err.msg or 'invalid syntax'}"
    if ends and (err.msg or "").startswith("invalid syntax"):
        message = f"not {wanted}: it ends too early"
    place = Place(text, column, line=number, source=source)
    return ParseError(message, place=place, hint=_meant(line, column, err.msg or "", wanted))


def _meant(line: str, column: int, message: str, wanted: str) -> str:
    """Guess what was meant, from what stands where the parser stopped."""
    before, at = line[:column], line[column:]
    first = re.match(r"[^\W\d]\w*", line.strip())
    if "never closed" in message or "unmatched" in message:
        return ""
    if message.startswith("unterminated string") and re.search(r"[\w)\]]$", before):
        return "write .T for a transpose"
    if before.endswith(".") and at[:1] in ("*", "/", "^") and at:
        return f"entrywise operations are written {at[0].replace('^', '**')}"
    if "line continuation" in message and re.search(r"[\w)\]]\s*\\$", before) and at[:1] == " ":
        return f"write {TYPED[before[-1]]}"
    if before.endswith("\\") and re.match("[A-Za-z]{2}", at):
        return 'LaTeX is read by verify(…, latex=True), symderiv.homework and assert latex(r"…")'
    if re.search(r"\blambda\b", line):
        return LAMBDA
    if (
        first
        and wanted == "a statement"
        and keyword.iskeyword(small := first.group().lower())
        and small != first.group()
    ):
        return f"write {small}, in small letters"
    if at[:1] in ("'", '"') and first and first.group() == "assert":
        return "a comma stands before the label of a claim"
    if at[:1] in TYPED:
        return f"write {TYPED[at[0]]}"
    if at.startswith("|"):
        return "write norm(x), or abs(x) for that of each entry"
    if re.match("=(?!=)", at) and first and first.group() == "assert":
        return "an equation of a claim has two signs: =="
    if "decimal literal" in message or (re.search(r"[\w)\]]\s*$", before) and re.match(r"[\w(\[]", at)):
        word = first.group() if first else ""
        return ONE_EXPRESSION if wanted == "an expression" and keyword.iskeyword(word) else PRODUCT
    if wanted == "an expression":
        if re.match(r"[-+*/@%&|^]?=(?!=)", at) or at.startswith(";") or (first and keyword.iskeyword(first.group())):
            return ONE_EXPRESSION
    return ""
