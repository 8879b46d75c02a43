r"""The commands of LaTeX that are read, and what each of them is.

What is not here is refused by name.  Fonts say nothing: `\mathbf{W}` is W.  `\epsilon` and `\varepsilon` are one
letter.
"""

from __future__ import annotations

GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda",
    "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega", "ell",
]  # fmt: skip
SYMBOLS = {
    **{g: g for g in GREEK},
    **{f"var{g}": g for g in ("epsilon", "theta", "phi", "rho", "sigma", "pi", "kappa")},
}

#  what a function is called in LaTeX, and in the language
FUNCTIONS = {
    "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "arcsin",
    "arccos": "arccos", "arctan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "det": "det",
    "tr": "trace", "Tr": "trace", "trace": "trace", "diag": "diag", "Diag": "diag", "vec": "vec",
    "softmax": "softmax", "logsumexp": "logsumexp", "sigmoid": "sigmoid", "softplus": "softplus", "relu": "relu",
    "ReLU": "relu", "sign": "sign", "sgn": "sign", "max": "maximum", "min": "minimum", "logdet": "logdet",
    "abs": "abs", "norm": "norm", "inv": "inv", "kron": "kron", "outer": "outer",
}  # fmt: skip
COMMANDS_OF_FUNCTIONS = frozenset([
    "log", "ln", "exp", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "det", "max",
    "min", "tr", "Tr", "diag", "sgn",
])  # fmt: skip

FONTS = frozenset([
    "mathbf", "boldsymbol", "bm", "mathcal", "mathscr", "mathfrak", "mathbb", "mathsf", "mathnormal", "symbf",
    "pmb", "vec", "boxed", "ensuremath",
])  # fmt: skip
UPRIGHT = frozenset(
    [
        "mathrm",
        "operatorname",
        "operatorname*",
        "mathit",
        "mathtt",
        "mathop",
        "textrm",
        "textsf",
        "textit",
    ]
)
TEXTS = frozenset(
    [
        "text",
        "mbox",
        "textnormal",
        "intertext",
        "shortintertext",
        "textbf",
    ]
)
ACCENTS = {
    "bar": "bar", "overline": "bar", "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "ddot": "ddot", "check": "check", "breve": "breve",
}  # fmt: skip
FRACTIONS = frozenset(["frac", "dfrac", "tfrac", "cfrac"])
OPERATORS = {
    "cdot": "·", "times": "×", "odot": "⊙", "circ": "⊙", "otimes": "⊗", "oslash": "⊘", "ast": "*",
}  # fmt: skip
TRANSPOSES = frozenset(["top", "intercal", "trans", "transp"])
RELATIONS = {
    "approx": "≈", "neq": "≠", "ne": "≠", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "equiv": "≡", "sim": "∼",
    "propto": "∝", "to": "→", "rightarrow": "→", "Rightarrow": "⇒", "iff": "⇔", "Leftrightarrow": "⇔", "in": "∈",
    "coloneqq": "≔", "simeq": "≃", "lt": "<", "gt": ">", "implies": "⇒", "leftarrow": "←",
}  # fmt: skip

SPACES = frozenset([
    "quad", "qquad", "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "thinspace", "medspace",
    "thickspace", "enspace", "enskip", "notag", "nonumber", "square", "blacksquare", "Box", "qed", "qedhere",
    "checkmark", "allowbreak", "nobreak", "break", "hfill", "negthinspace", "relax", "allowdisplaybreaks",
    "noindent", "par",
])  # fmt: skip
SPACES_WITH_ARGUMENT = frozenset(
    ["tag", "tag*", "label", "hspace", "hspace*", "vspace", "vspace*", "phantom", "hphantom"])  # fmt: skip
SIZES = frozenset(f"{b}{s}" for b in ("big", "Big", "bigg", "Bigg") for s in ("", "l", "r", "m"))
BARS = {"lVert": "‖(", "rVert": "‖)", "Vert": "‖", "lvert": "|(", "rvert": "|)", "vert": "|", "mid": "|"}
ENVIRONMENTS = frozenset([
    "align", "aligned", "alignat", "alignedat", "equation", "gather", "gathered", "split", "multline", "eqnarray",
    "flalign", "math", "displaymath", "align*", "alignat*", "equation*", "gather*", "multline*", "eqnarray*",
    "flalign*",
])  # fmt: skip
FORBIDDEN = frozenset([
    "input", "include", "includeonly", "usepackage", "documentclass", "def", "gdef", "edef", "xdef", "let",
    "futurelet", "newcommand", "renewcommand", "providecommand", "DeclareMathOperator", "csname", "endcsname",
    "write", "openin", "openout", "read", "immediate", "special", "catcode", "expandafter", "noexpand", "loop",
    "repeat", "newenvironment", "begingroup", "endgroup", "makeatletter", "directlua", "verb", "lstinputlisting",
    "toks",
])  # fmt: skip
HINTS = {
    "int": "integrals are not read",
    "lim": "limits are not read", "pm": "write the two equations", "mp": "write the two equations",
    "infty": "sums run over axes and over ranges with an end", "cancel": "write what is left",
    "underbracket": r"write \underbrace", "middle": "brackets come in pairs",
}  # fmt: skip


def kind_of(name: str) -> str | None:
    """Return the kind of token that a command is."""
    kinds = (
        ("SYMBOL", SYMBOLS), ("NAME", COMMANDS_OF_FUNCTIONS), ("FONT", FONTS),
        ("ACCENT", ACCENTS), ("FRAC", FRACTIONS), ("OPERATOR", OPERATORS), ("TOP", TRANSPOSES),
        ("RELATION", RELATIONS), ("SQRT", ("sqrt",)), ("BIG", ("sum", "prod")), ("PARTIAL", ("partial",)),
        ("NABLA", ("nabla",)), ("UNDERBRACE", ("underbrace",)), ("LANGLE", ("langle",)), ("RANGLE", ("rangle",)),
        ("COLON", ("colon",)), ("LCURLY", ("lbrace",)), ("RCURLY", ("rbrace",)),
        ("DOTS", ("cdots", "dots", "ldots", "dotsm")),
        ("LSQUARE", ("lbrack",)), ("RSQUARE", ("rbrack",)),
    )  # fmt: skip
    return next((kind for kind, known in kinds if name in known), None)


def value_of(kind: str, name: str) -> str:
    """Return what a token says, one word for commands of one meaning."""
    tables = {
        "SYMBOL": SYMBOLS,
        "ACCENT": ACCENTS,
        "OPERATOR": OPERATORS,
        "RELATION": RELATIONS,
    }
    return tables[kind][name] if kind in tables else name


KNOWN = sorted({
    *SYMBOLS, *COMMANDS_OF_FUNCTIONS, *FONTS, *ACCENTS, *FRACTIONS, *OPERATORS,
    *TRANSPOSES, *RELATIONS, "sqrt", "sum", "prod", "partial", "nabla", "underbrace", "text",
    "operatorname",
})  # fmt: skip
