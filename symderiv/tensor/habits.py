"""What people type who come from PyTorch, MATLAB, Julia, a blackboard or the rest of NumPy, and what to write here.

Only hints are made of it: nothing is read otherwise than NumPy reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from difflib import get_close_matches

MOST_SHOWN = 60
UNKNOWN_FUNCTION = 'declare it as a function, with names for its derivatives: functions={"erf": ["derf", "d2erf"]}'
NO_JOINING = "arrays are not joined: write the sum over the parts"
NO_SPECTRUM = "eigenvalues and singular values are not in the language; trace, det and logdet are"
NO_MATRIX_FUNCTION = "of a matrix there are inv, matrix_power, det and logdet"
TRIANGLE = "declare the matrix of ones and zeros, L: (n, n), and write L * A, or L @ x for a cumulative sum"
BY_NAME = "a size goes by its name, such as n"
LARGEST = "maximum and minimum compare two arrays entry by entry; logsumexp(x) is a smooth largest entry"

#  what is typed, in small letters: what to write
WORDS = {
    "ln": "write log(x)", "log2": "write log(x) / log(2)", "log10": "write log(x) / log(10)",
    "square": "write x**2", "pow": "write x**2", "power": "write x**2", "rsqrt": "write 1 / sqrt(x)",
    "reciprocal": "write 1 / x", "cbrt": "write x**(1/3)", "sgn": "write sign(x)",
    "logistic": "write sigmoid(x)", "expit": "write sigmoid(x)", "sigma": "write sigmoid(x)",
    "logit": "write log(x / (1 - x))", "silu": "write x * sigmoid(x)", "swish": "write x * sigmoid(x)",
    "log_softmax": "write log(softmax(x, 0)), with the axis", "logsigmoid": "write log(sigmoid(x))",
    "clip": "write minimum(maximum(x, 0), 1)", "clamp": "write minimum(maximum(x, 0), 1)",
    "hinge": "write maximum(1 - x, 0)", "leaky_relu": "write where(x > 0, x, 0.1 * x)",
    "max": LARGEST, "min": LARGEST, "amax": LARGEST, "amin": LARGEST, "argmax": LARGEST, "sort": LARGEST,
    "var": "write mean((x - mean(x))**2)", "std": "write sqrt(mean((x - mean(x))**2))",
    "mse": "write mean((u - v)**2)", "mse_loss": "write mean((u - v)**2)", "mseloss": "write mean((u - v)**2)",
    "cross_entropy": "write mean(logsumexp(Z, 1)) - sum(Y * Z) / n, with Y one-hot",
    "reduce_sum": "write sum(x)", "reduce_mean": "write mean(x)", "cumsum": TRIANGLE,
    "triu": TRIANGLE, "tril": TRIANGLE,
    "tr": "write trace(A)", "inverse": "write inv(A)", "pinv": "write inv(A.T @ A) @ A.T, for full column rank",
    "logabsdet": "write logdet(A)", "slogdet": "write logdet(A)", "i": "write eye(n)", "id": "write eye(n)",
    "identity": "write eye(n)", "zeros_like": "write zeros(n, m), with the sizes",
    "ones_like": "write ones(n, m), with the sizes", "t": "write A.T", "h": "write A.T", "adjoint": "write A.T",
    "matmul": "write A @ B", "mm": "write A @ B", "mv": "write A @ x", "bmm": "write A @ B", "mul": "write x * y",
    "multiply": "write x * y", "hadamard": "write x * y", "div": "write x / y", "divide": "write x / y",
    "add": "write x + y", "subtract": "write x - y", "neg": "write -x", "negative": "write -x",
    "vdot": "write x @ y, or sum(A * B)", "ger": "write outer(x, y)", "lstsq": "write solve(A.T @ A, A.T @ b)",
    "flatten": "write reshape(A, (n*m,)), or vec(A) by columns",
    "ravel": "write reshape(A, (n*m,)), or vec(A) by columns",
    "view": "write reshape(A, (n*m,)), or vec(A) by columns",
    "permute": "write transpose(A, (1, 0))", "swapaxes": "write transpose(A, (1, 0))",
    "moveaxis": "write transpose(A, (1, 0))", "squeeze": "write sum(x, 1), over the axis of size 1",
    "expand_dims": "write x[:, None]", "unsqueeze": "write x[:, None]", "len": BY_NAME,
    "size": BY_NAME, "numel": BY_NAME,
    "concatenate": NO_JOINING, "concat": NO_JOINING, "cat": NO_JOINING, "stack": NO_JOINING, "hstack": NO_JOINING,
    "vstack": NO_JOINING, "block": NO_JOINING, "svd": NO_SPECTRUM, "eig": NO_SPECTRUM, "eigh": NO_SPECTRUM,
    "eigvals": NO_SPECTRUM, "eigvalsh": NO_SPECTRUM, "svdvals": NO_SPECTRUM, "cond": NO_SPECTRUM,
    "expm": NO_MATRIX_FUNCTION, "logm": NO_MATRIX_FUNCTION, "sqrtm": NO_MATRIX_FUNCTION, "qr": NO_MATRIX_FUNCTION,
    "chol": NO_MATRIX_FUNCTION, "cholesky": NO_MATRIX_FUNCTION, "erf": UNKNOWN_FUNCTION, "erfc": UNKNOWN_FUNCTION,
    "ndtr": UNKNOWN_FUNCTION, "gamma": UNKNOWN_FUNCTION, "lgamma": UNKNOWN_FUNCTION, "gammaln": UNKNOWN_FUNCTION,
    "digamma": UNKNOWN_FUNCTION, "gelu": UNKNOWN_FUNCTION, "cdf": UNKNOWN_FUNCTION, "pdf": UNKNOWN_FUNCTION,
    "conj": "entries are real", "real": "entries are real", "imag": "entries are real",
}  # fmt: skip

NORMS = "norm is the square root of the sum of squares; sum(abs(x)) is the 1-norm, sum(abs(x)**p)**(1/p) the p-norm"
SIGNATURES = {
    "norm": NORMS, "softmax": "write softmax(x, 0), with the axis", "transpose": "write transpose(A, (1, 0))",
    "where": "write where(x > 0, yes, no)", "solve": "write solve(A, b)", "diag": "write diag(x), or diag(A)",
    "maximum": "write maximum(x, y)", "minimum": "write minimum(x, y)",
}  # fmt: skip
KEYWORDS = {"dim": "write axis=", "ord": NORMS, "keepdim": "write keepdims=True", "p": NORMS}
CONSTANTS = {
    "e": "write exp(x), or the number 2.718281828459045", "pi": "write the number 3.141592653589793",
    "I": "write eye(n)", "newaxis": "write x[:, None]", "T": "write A.T",
}  # fmt: skip


def remedy(name: str, known: Collection[str]) -> str:
    """Return what to write for a function that the language does not have, or "" where nothing is near.

    >>> [remedy(name, ["log", "trace"]) for name in ("ln", "Trace", "trce", "foo")]
    ['write log(x)', 'did you mean trace?', 'did you mean trace?', '']
    """
    small = name.lower()
    if small in WORDS and small not in known:
        return WORDS[small]
    near = [small] if small in known else get_close_matches(small, known, 1, 0.7)
    return f"did you mean {near[0]}?" if near else ""


def as_function(call: ast.Call, name: str, of_it: Sequence[ast.expr], known: Collection[str]) -> str:
    """Return a method, or a function of another package, as a function of the language.

    >>> call = ast.parse("X.mean(axis=0)", mode="eval").body
    >>> as_function(call, "mean", [call.func.value], ["mean"])
    'write mean(X, 0)'
    """
    small = name.lower()
    if small not in known:
        return remedy(name, known)
    axes = [k.value for k in call.keywords if k.arg in ("axis", "dim")]
    args = [*of_it, *call.args, *axes]
    if any(isinstance(a, ast.Starred) for a in args):
        return f"write {small}(…)"
    text = ast.unparse(ast.Call(ast.Name(small), args, []))
    return f"write {text}" if len(text) <= MOST_SHOWN else f"write {small}(…)"


def condition(test: ast.expr) -> str:
    """Return how to write a condition of `where` that is not one comparison."""
    match test:
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()]):
            return "write abs(x - y) <= 0 for equality"
        case ast.Compare() | ast.BoolOp(op=ast.And()) | ast.BinOp(op=ast.BitAnd()):
            return "nest it: where(x > 0, where(x < 1, yes, no), no)"
        case ast.BoolOp(op=ast.Or()) | ast.BinOp(op=ast.BitOr()):
            return "nest it: where(x > 1, yes, where(x < 0, yes, no))"
    return "such as where(x > 0, x, 0)"
