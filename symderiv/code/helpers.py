"""Functions that generated code brings along where NumPy has no word for something, as plain text."""

from __future__ import annotations

from textwrap import dedent

HELPERS = {
    name: dedent(text).lstrip("\n")
    for name, text in {
        "sigmoid": """
            def {name}(x):
                with {np}.errstate(over="ignore"):  # exp(-x) is infinite where the value is 0
                    return 1 / (1 + {np}.exp(-x))
        """,
        "expit": """
            try:
                from scipy.special import expit as {name}
            except ImportError:  # NumPy serves too, more slowly

                def {name}(x):
                    with {np}.errstate(over="ignore"):
                        return 1 / (1 + {np}.exp(-x))
        """,
        "sigmoids": '''
            def {name}(x):
                """Return sigmoid(x) and sigmoid(-x), from one exponential that does not overflow."""
                e = {np}.exp({np}.minimum(-x, {np}.log({np}.finfo(x.dtype).max) - 1))
                positive = 1 / (1 + e)
                return positive, e * positive
        ''',
        "softmax": """
            def {name}(x, axis):
                e = {np}.exp(x - {np}.max(x, axis=axis, keepdims=True)) if x.size else x
                return e / {np}.sum(e, axis=axis, keepdims=True)
        """,
        "logsumexp": """
            def {name}(x, axis=None):
                if not x.size:
                    return {np}.log({np}.sum(x, axis=axis))
                m = {np}.max(x, axis=axis, keepdims=True)
                return {np}.log({np}.sum({np}.exp(x - m), axis=axis)) + {np}.squeeze(m, axis=axis)
        """,
        "softmax_and_logsumexp": '''
            def {name}(x, axis):
                """Return softmax(x) and logsumexp(x), from one exponential."""
                m = {np}.max(x, axis=axis, keepdims=True) if x.size else 0.0
                e = {np}.exp(x - m)
                total = {np}.sum(e, axis=axis, keepdims=True)
                e /= total
                return e, {np}.squeeze({np}.log(total) + m, axis=axis)
        ''',
        "log_det": """
            def {name}(a):
                sign, value = {np}.linalg.slogdet(a)
                return {np}.where(sign < 0, {np}.nan, value)
        """,
        "factored": '''
            def {name}(a):
                """Return a symmetric matrix and its Cholesky factor, None where it has none or SciPy is missing."""
                try:
                    return a, linalg and linalg.cholesky(a.T, lower=True, check_finite=False)
                except {np}.linalg.LinAlgError:
                    return a, None
        ''',
        "solved": '''
            def {name}(factors, b):
                """Solve a linear system with a symmetric matrix that is factored."""
                a, c = factors
                return {np}.linalg.solve(a, b) if c is None else linalg.cho_solve((c, True), b, check_finite=False)
        ''',
        "factored_inverse": '''
            def {name}(factors, last=False):
                """Return the inverse of a symmetric matrix that is factored; in its place, if that is the last use."""
                a, c = factors
                if c is None:
                    return {np}.linalg.inv(a)
                half = linalg.get_lapack_funcs(("potri",), (c,))[0](c, lower=True, overwrite_c=last)[0]
                inverse = half + half.T
                {np}.einsum("ii->i", inverse)[...] /= 2
                return inverse
        ''',
        "inverse_dot": '''
            def {name}(factors, m, last=False):
                """Return the sum of all entries of inv(a) * m, where both a, which is factored, and m are symmetric."""
                a, c = factors
                if c is None:
                    return {np}.vdot({np}.linalg.inv(a), m)
                half = linalg.get_lapack_funcs(("potri",), (c,))[0](c, lower=True, overwrite_c=last)[0]
                return 2 * {np}.vdot(half.T, m) - {np}.vdot({np}.diag(half), {np}.diag(m))
        ''',
        "factored_logdet": '''
            def {name}(factors):
                """Return log |det| of a symmetric matrix that is factored."""
                a, c = factors
                return {np}.linalg.slogdet(a)[1] if c is None else 2 * {np}.sum({np}.log({np}.diag(c)))
        ''',
        "factored_log_det": '''
            def {name}(factors):
                """Return log det of a symmetric matrix that is factored, nan where the determinant is negative."""
                a, c = factors
                if c is not None:
                    return 2 * {np}.sum({np}.log({np}.diag(c)))
                sign, value = {np}.linalg.slogdet(a)
                return {np}.where(sign < 0, {np}.nan, value)
        ''',
    }.items()
}
NEEDS_LINALG = frozenset({"factored", "solved", "factored_inverse", "inverse_dot"})
LINALG = dedent("""
    try:
        from scipy import linalg
    except ImportError:  # NumPy serves too, more slowly
        linalg = None
""").lstrip("\n")


__all__ = ["HELPERS", "LINALG", "NEEDS_LINALG"]
