"""Random texts: what people type, what slips from the keyboard, and what means harm.

Two kinds of generator.  *Bytes*: pieces of true inputs, cut, turned, repeated, and strewn with tokens and with
arbitrary bytes.  *Grammar*: expressions and blocks of statements that Python can read, most of which mean
nothing.  *Words*, between the two: true inputs in which words are others of their kind.  Every choice comes from one
`random.Random`, so that a number repeats a text.
"""

# ruff: noqa: SIM905 - a table of words reads better as words

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from symderiv.functions import FUNCTIONS
from symderiv.tensor.parse import KNOWN, TRAITS

# Names that mean something elsewhere: in Python, in NumPy, in LaTeX, HTML, typst, to a file system or a terminal.
# What none of them may do: reach the reader of some format as a command, or take the place of what code uses.
PLAIN_NAMES = (
    "len", "range", "zip", "float", "int", "abs", "sum", "max", "print", "open", "eval", "exec", "type", "id",
    "__class__", "__import__", "__builtins__", "__name__", "__debug__", "_", "np", "numpy", "scipy", "math", "linalg",
    "einsum", "exp", "dot", "array", "self", "cls", "match", "case", "T", "I", "E", "S", "N", "O", "Q", "pi", "e",
    "nan", "inf", "diff", "partial", "delta", "code", "table", "given", "derivative", "value", "batch", "summed",
    "arange", "t1", "out", "Σ", "θ", "δ", "ﬁ", "ℯ", "ª", "x̂", "é", "名", "x__y", "x_", "input", "include", "import_",
    "undefined", "script", "eval_", "text", "let", "sys", "os",
)  # fmt: skip
KEYWORDS = ("lambda", "class", "def", "None", "True", "False", "in", "is", "async", "await", "yield", "del", "import")
PAYLOADS = (
    r"\input{/etc/passwd}", r"\write18{id}", r"\end{document}", r"}\input{x}", "$x$", "$$", r"\(", r"\\", "%", "&",
    "#", "~", "^^5c", "</script><script>alert(1)</script>", "<!--", "-->", "&lt;", "<img src=x onerror=alert(1)>",
    "javascript:alert(1)", "[a](javascript:alert(1))", "![a](https://example.org/x.png)", "```", "~~~", "---", '"""',
    "'''", "\\", "\\\"", "\\'", "\n", "\r", "\r\n", "\x0b", "\x0c", "\x00", "\x1b[31m", "\x85", "\u2028", "\u2029",
    "\u202e", "\u2066", "\u200b", "\ufeff", "\ud800", "\U000e0041", "#eval(1)", '#read("/etc/passwd")', "#{", "#[",
    "<< 7*7 >>", "<% include 'x' %>", "<# #>", "{{7*7}}", "{%", "../../etc/passwd", "/etc/passwd", "C:\\x", "a/b",
    "..", ".", "~/x", "|id", "`id`", "$(id)", ";id", "import os", "os.system('id')", "x = 1", "x\n    import os",
    "x):\n    pass\n#", "{0.__class__}", "%s", "%(x)s", "{x}", r"\end{verbatim}\input{x}", "*)", "(*",
    "*) Axiom bad : False. (*", "Admitted.", '"}', '", "version": 2', "]]>", "</title><script>alert(1)</script>",
    "</desc>", r"};\input{x}", "*/", '"+sys.inputs', "|", "| a | b |", "\t", r"\catcode`\%=12",
)  # fmt: skip
# Names that mean something to Coq, TikZ, Graphviz, XML or a file of JSON.
FAR_NAMES = (
    "Qed", "Proof", "forall", "fun", "Axiom", "Admitted", "Type", "Prop", "eqxx", "mulrC", "claim", "Section",
    "derivation", "ring", "node", "edge", "graph", "digraph", "strict", "path", "draw", "svg", "desc", "xmlns",
    "format", "version", "parts", "null", "true", "NaN", "pytest", "signature", "seeds", "loss", "test_loss",
    "fun_", "hess", "pack", "args", "kwargs", "lru_cache", "SystemExit", "NotImplemented", "con", "nul", "aux",
)  # fmt: skip
ALL_NAMES = (*PLAIN_NAMES, *FAR_NAMES)
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "0.5",
    "1e300",
    "1e-300",
    "1e999",
    "10**9",
    "9" * 30,
    "0x10",
    "1_000",
    "1j",
    "007",
    "2.",
)
OPERATORS = ("+", "-", "*", "/", "@", "**", "==", "<", ">=", "//", "%", "^", "|", "&", "<<", ":=", "=", "->", "and")
SIGNS = (*"()[]{}.,:;'\"#\\!?$ \n\t", "    ", "−", "×", "·", "²", "ᵀ", "≤", "…", "’")
WORDS = ("for", "in", "range", "def", "return", "assert", "not", "with", "if", "else", "while", "global", "pass", "is")

NAMES = {
    "A": ("n", "n"), "B": ("n", "m"), "X": ("n", "p"), "S": ("n", "n"), "x": ("n",), "y": ("n",), "w": ("p",),
    "c": (), "V": (2, 3),
}  # fmt: skip
SIZES = ("n", "m", "p", "k")

EXPRESSIONS = (
    "norm(X @ w - y)**2", "x @ A @ x", "sum(log(1 + exp(-y * (X @ w))))", "logdet(A) + trace(inv(A) @ S)",
    "softmax(x, 0) @ y / n", "where(x > 0, sqrt(x), 0)", "einsum('ij,j->i', A, x)", "kron(A, S)[:, None]",
    "sum(exp(x - logsumexp(x)) * y)", "vec(A @ B).T", "sum[q](A[i,q] * B[q,j])", "delta[i,j] * x[i]",
    "matrix_power(A, 3) + eye(n)", "reshape(A, (n * n,))", "transpose(A, (1, 0))", "maximum(x, y) - minimum(x, 0)",
    "diag(x) @ A * outer(x, y)", "mean(A, axis=0)", "sum(c * h(x) + dh(y))", "prod(x) / x**3.5",
)  # fmt: skip
BLOCKS = (
    "D: (m, n)\nW: (n, p)\nloss: function()\nA = D @ W\nE = loss(A)\nB = diff(E, A)\n"
    'assert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l], "L1"\nassert diff(E, W) == D.T @ B, "L2"',
    "x: (n,)\nS: symmetric(n, n)\nf = x @ S @ x\nassert diff(f, x) == 2 * S @ x\nassert not (diff(f, x) == S @ x)",
    "theta: (p,)\nf: function(n)\nh[0]: (n,)\nfor t in range(1, T + 1):\n    x[t]: (d,)\n"
    "    h[t] = f(h[t-1], x[t], theta)\ndef J(t): return partial(h[t], h[t-1])\nfor tau in range(0, T + 1):\n"
    "    for t in range(tau, T + 1):\n"
    '        assert diff(h[t], h[tau]) == prod(J(s) for s in range(t, tau, -1)), "R1"',
    "h: elementwise()\na: (n,)\nw: (n,)\nE = w @ h(a)\nM = diff(E, a, a)\n"
    'with neglecting(diff(h, 2)(a[i]), because="it is small"):\n    assert M[i,j] == 0, "H1 (5.8)"',
    "A: (n, n)\nB: (n, n)\nwith given(A @ B == B @ A):\n    assert (A + B) @ (A - B) == A @ A - B @ B",
    "def sigma(t): return 1 / (1 + exp(-t))\nx: (n,)\nf = sum(sigma(x))\ndiff(f, x)\ncode(diff(f, x), cost=4 * n)",
    "y: index(m)\nz: (m,)\nE = -log(softmax(z, 0)) @ eye(m)[y, :]\nassert diff(E, z) == softmax(z, 0) - eye(m)[y, :]",
)  # fmt: skip
LAYER = "D: (m, n); W: (n, p); loss: function(); A = D @ W; E = loss(A); B = diff(E, A)"
CHAINS = (
    r"\frac{\partial A_{ij}}{\partial W_{kl}} = \sum_{q=1}^{n} D_{iq} \, \delta_{qk} \, \delta_{jl}"
    r" = D_{ik}\,\delta_{jl}",
    r"\frac{\partial E}{\partial W_{kl}} &= \sum_{i,j} B_{ij} D_{ik} \delta_{jl}"
    r" \overset{j=l}{=} \sum_i D_{ik} B_{il} = (D^{\top} B)_{kl}",
    r"\begin{align*} \frac{\partial E}{\partial W} &= D^T B && \text{by (L1)} \\ &= \bigl(D^\top\bigr) B \qquad\square"
    r" \end{align*}",
    r"\sum_{i=1}^{m}\sum_{j=1}^{p}\,\underbrace{\frac{\partial E}{\partial A_{ij}}}_{=\,B_{ij}} D_{ik} \delta_{jl}"
    r" = \sum_i B_{il} D_{ik}",
    r"\lVert A \rVert_F^2 = \operatorname{tr}(A^\top A) = \sum_{i,j} A_{ij}^2",
)  # fmt: skip
LETTERS = tuple("ijklqmnpABDEW")
LATEX = tuple(
    r"""
    \frac \sum_ \partial \delta_ \left( \right) \bigl[ \\ & &= \text{ \tag{1} \begin{cases} \end{cases}
    \begin{align} \end{align} \overset{k=l}{=} \underbrace{ \, \quad \prime ^T ^{\top} ^{-1} _{ij} _{i,j=1} \cdot
    \odot \circ \times \exp \log \mathrm{tr} \operatorname{diag} \bar \hat{ \mathbf{ \in \le \neq \approx
    \Rightarrow \label{a} \nonumber % $ $$ \( \[ \def\x{1} \newcommand{\x}[1]{#1} { } ' \dots \ldots
    """.split()
)
HANDOUT = (
    "---\ntitle: A title\nauthor: Someone\nlanguage: en\ndisplay:\n  w1: w^{(1)}\nsuperscript: [w, a]\n---\n"
    "# One\n\nProse with $x^2$ and `code`.\n\n```symderiv\nx: (n,)\nassert diff(x @ x, x) == 2 * x, \"L1\"\n```\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n## Two\n\n- item\n\n```python\nprint(1)\n```\n"
)  # fmt: skip

WORD = re.compile(r"\\?\w+|\s+|\*\*|[=!<>]=|.", re.DOTALL)


@dataclass
class Texts:
    """A source of texts: every call of a method draws a new one."""

    random: Random

    def one(self, options: Sequence[str]) -> str:
        """Return one of some texts."""
        return options[int(self.random.random() * len(options))]

    def chance(self, share: float) -> bool:
        """Return True in a share of all cases."""
        return self.random.random() < share

    # ---------------------------------------------------------------- names and pieces

    def name(self) -> str:
        """Return a name: mostly a declared one, now and then one that means something elsewhere."""
        roll = self.random.random()
        if roll < 0.75:
            return self.one(tuple(NAMES))
        if roll < 0.85:
            return self.one(SIZES)
        return self.one(ALL_NAMES) if roll < 0.97 else self.one(KEYWORDS)

    def new_name(self) -> str:
        """Return a name to be declared."""
        return self.one(("a", "b", "f", "g", "u", "h", "z")) if self.chance(0.5) else self.one(ALL_NAMES)

    def hostile(self) -> str:
        """Return a text that means harm where it is not kept as text, alone or behind a name."""
        text = self.one(PAYLOADS)
        return text if self.chance(0.7) else self.one(("x", "W1", "L1 ")) + text

    def token(self) -> str:
        """Return a piece of a text."""
        kind = self.one(("name", "number", "operator", "sign", "word", "function", "payload"))
        match kind:
            case "name":
                return self.name()
            case "number":
                return self.one(NUMBERS)
            case "operator":
                return f" {self.one(OPERATORS)} "
            case "sign":
                return self.one(SIGNS)
            case "word":
                return f" {self.one(WORDS)} "
            case "function":
                return self.one(KNOWN) + "("
        return self.one(PAYLOADS)

    # ---------------------------------------------------------------- bytes

    def bytes(self, most: int = 40) -> str:
        """Return arbitrary bytes, read as UTF-8 or as Latin-1."""
        data = self.random.randbytes(1 + int(self.random.random() * most))
        return data.decode("utf-8", "surrogateescape" if self.chance(0.5) else "ignore") or data.decode("latin-1")

    def tokens(self, most: int = 16) -> str:
        """Return tokens in any order."""
        return "".join(self.token() for _ in range(1 + int(self.random.random() * most)))

    def mutated(self, text: str, times: int = 0) -> str:
        """Return a text that was damaged a few times."""
        for _ in range(times or 1 + int(self.random.random() * 4)):
            text = self._damaged(text)
        return text

    def _damaged(self, text: str) -> str:
        size = len(text)
        at = int(self.random.random() * (size + 1))
        end = min(size, at + 1 + int(self.random.random() * 8))
        match int(self.random.random() * 8):
            case 0:
                return text[:at] + text[end:]
            case 1:
                return text[:at] + self.token() + text[at:]
            case 2:
                return text[:at] + self.token() + text[end:]
            case 3:
                return text[:at] + chr(int(self.random.random() * 0x180)) + text[end:]
            case 4:
                return text[:end] + text[at:]
            case 5:
                other = int(self.random.random() * (size + 1))
                return text[:at] + text[other : other + 12] + text[at:]
            case 6:
                return text[:at] + text[at:end] * (2 + int(self.random.random() ** 8 * 300)) + text[end:]
        return text[:at] + self.bytes(4) + text[at:]

    def exchanged(self, text: str) -> str:
        """Return a text in which a few words are others of their kind, so that mostly it can still be read."""
        words = WORD.findall(text)
        for _ in range(1 + int(self.random.random() * 4)):
            at = int(self.random.random() * len(words))
            words[at] = self._other(words[at])
        return "".join(words)

    def _other(self, word: str) -> str:
        if word in KNOWN or word in FUNCTIONS:
            return self.one(KNOWN)
        if word.isidentifier():
            kind = int(self.random.random() * 6)
            wrapped = (f"{self.one(tuple(FUNCTIONS))}({word})", f"({word} {self.one(OPERATORS[:6])} {self.name()})")
            return (*wrapped, f"{word}.T", f"{word}[i]", self.name(), self.name())[kind]
        if word[:1].isdigit():
            return self.one(NUMBERS)
        if word.strip() in OPERATORS:
            return self.one(OPERATORS[:11])
        return word if self.chance(0.7) else self.one(SIGNS)

    def latex(self, text: str) -> str:
        """Return LaTeX: words of it in any order, or a derivation that was damaged."""
        if self.chance(0.2):
            return " ".join(self.one((*LATEX, *NAMES)) for _ in range(1 + int(self.random.random() * 12)))
        words = WORD.findall(text)
        for _ in range(int(self.random.random() * 4)):
            at = int(self.random.random() * len(words))
            if self.chance(0.6):
                letters = [k for k, word in enumerate(words) if word in LETTERS] or [at]
                words[letters[int(self.random.random() * len(letters))]] = self.one(LETTERS)
            else:
                words[at : at + int(self.random.random() * 2)] = [self.one(LATEX)]
        return self.mutated("".join(words), 1) if self.chance(0.2) else "".join(words)

    def data(self, text: str) -> str:
        """Return JSON in which a value is another one, or has no place."""
        found = json.loads(text)
        for _ in range(1 + int(self.random.random() * 2)):
            self._misplace(found)
        return json.dumps(found, ensure_ascii=False)

    def _misplace(self, found: Any) -> None:
        """Change one value, somewhere below."""
        while True:
            keys = list(found) if isinstance(found, dict) else list(range(len(found)))
            deep = [key for key in keys if isinstance(found[key], (dict, list)) and found[key]]
            below = deep and self.chance(0.9)
            key = (deep if below else keys)[int(self.random.random() * len(deep if below else keys))]
            if not below:
                break
            found = found[key]
        others: list[Any] = [None, True, 0, -1, 1.5, 10**20, "", self.name(), self.hostile(), [], {}, [found[key]]]
        match int(self.random.random() * 4):
            case 0 if isinstance(found, list):
                del found[key]
            case 1 if isinstance(found[key], int):
                found[key] += 1 if self.chance(0.5) else -1
            case 2:
                found[key] = found[keys[int(self.random.random() * len(keys))]]
            case _:
                found[key] = others[int(self.random.random() * len(others))]

    # ---------------------------------------------------------------- grammar

    def expression(self, depth: int = 3) -> str:
        """Return an expression that Python can read; its shapes fit where they happen to."""
        if depth <= 0 or self.chance(0.2):
            return self.one(NUMBERS[:5]) if self.chance(0.2) else self.name()
        inner: Callable[[], str] = lambda: self.expression(depth - 1)  # noqa: E731 -- short for what follows
        match int(self.random.random() * 12):
            case 0 | 1 | 2:
                return f"({inner()} {self.one(OPERATORS[:6])} {inner()})"
            case 3 | 4:
                return f"{self.one(tuple(FUNCTIONS))}({inner()})"
            case 5 | 6:
                several = ", ".join(inner() for _ in range(1 + int(self.random.random() * 3)))
                axis = self.one(("", "", ", axis=0", ", axis=-1", ", 1"))
                return f"{self.one(KNOWN)}({several}{axis})"
            case 7:
                return f"{inner()}.{self.one(('T', 'T', 'T', 'shape', '__class__', 'I'))}"
            case 8:
                subscripts = self.one(("i", "i, j", "i, i", ":, None", "0", "i, :", "i, j, k", "-1", "n", "i + 1"))
                return f"{inner()}[{subscripts}]"
            case 9:
                return f"sum[{self.one(('i', 'j', 'q', 'i, j'))}]({inner()})"
            case 10:
                return f"-{inner()}"
        return self._seldom(inner)

    def _seldom(self, inner: Callable[[], str]) -> str:
        match int(self.random.random() * 8):
            case 0:
                return f"where({inner()} {self.one(('<', '>', '<=', '=='))} {inner()}, {inner()}, {inner()})"
            case 1:
                return f"einsum('{self.one(('ij,j->i', 'ij,jk', 'ii', 'i,j->ij', '...', 'ij->ji'))}', {inner()})"
            case 2:
                return f"{self.one(('sum', 'prod'))}({inner()} for i in range({self.one(NUMBERS)}, {self.one(SIZES)}))"
            case 3:
                return f"diff({inner()}, {self.name()})"
            case 4:
                return f"(lambda x: {inner()})({inner()})"
            case 5:
                return f"[{inner()} for {self.name()} in {inner()}]"
            case 6:
                return f"{inner()} if {inner()} else {inner()}"
        return f"f'{{{self.name()}}}'"

    def statement(self, depth: int = 2) -> str:
        """Return a statement that Python can mostly read."""
        match int(self.random.random() * 14):
            case 0 | 1 | 2:
                return f"{self.new_name()}: {self.declared()}"
            case 3 | 4 | 5:
                return f"{self.new_name()} = {self.expression()}"
            case 6 | 7:
                sides = f"{self.expression(2)} == {self.expression(2)}"
                return f"assert {sides if self.chance(0.8) else f'not ({sides})'}{self.label()}"
            case 8:
                return f"assert diff({self.name()}, {self.name()}) == {self.expression(2)}{self.label()}"
            case 9:
                body = "\n".join("    " + line for line in self.block(depth - 1).split("\n")) if depth else "    pass"
                return f"{self.head()}\n{body}"
            case 10:
                return f"def {self.new_name()}({self.name()}): return {self.expression(2)}"
            case 11:
                return f"{self.new_name()}[{self.one(('0', 't', 't - 1', 't + 1', 'T'))}]: {self.declared()}"
            case 12:
                return f"{self.new_name()}[{self.one(('t', 't - 1', '0'))}] = {self.expression(2)}"
        return (
            f"{self.one(('code', 'table', 'diff'))}({self.expression(2)}{self.one(('', ', sizes={n: 3}', ', cost=n'))})"
        )

    def head(self) -> str:
        """Return what a block stands under."""
        match int(self.random.random() * 4):
            case 0 | 1:
                return f"for {self.one(('t', 'tau', 's'))} in range({self.one(('0', '1', 'tau', 'T'))}, T + 1):"
            case 2:
                return f"with given({self.expression(2)} {self.one(('==', '!=', '>', '<='))} {self.expression(1)}):"
        return f"with neglecting({self.expression(2)}, i != j, because={self.hostile()!r}):"

    def declared(self) -> str:
        """Return what stands behind the colon of a declaration."""
        size = self.one((*SIZES, "2", "n + 1", "2 * n", "0", "x", "T"))
        shape = self.one((f"({size},)", f"({size}, {self.one(SIZES)})", "()", f"({size}, {size})"))
        if self.chance(0.6):
            return shape
        kind = self.one((*sorted(TRAITS), "function", "elementwise", "index", "integer", "lambda"))
        return f"{kind}{shape.replace(',)', ')')}"

    def label(self) -> str:
        """Return the label of a claim, behind a comma."""
        return "" if self.chance(0.5) else f", {self.hostile() if self.chance(0.7) else 'L1 (5.93)'!r}"

    def block(self, depth: int = 2) -> str:
        """Return a block of statements: some of a true one, some drawn."""
        lines = [self.statement(depth) for _ in range(1 + int(self.random.random() * 4))]
        return "\n".join(lines)
