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
                e = {np}.minimum(-x, {np}.log({np}.finfo({np}.result_type(x, 0.5)).max) - 1)
                {np}.exp(e, out=e)
                positive = 1 + e
                {np}.divide(1, positive, out=positive)
                e *= positive
                return positive, e
        ''',
        "softmax": '''
            def {name}(x, axis, last=False):
                """Return exp(x) over its sums; in the place of x, if that is the last use."""
                if not x.size:
                    return x + 0.0
                largest = {np}.max(x, axis=axis, keepdims=True) + 0.0
                e = {np}.subtract(x, largest, out=x if last and x.dtype.kind == "f" else None)
                {np}.exp(e, out=e)
                e *= 1 / {np}.sum(e, axis=axis, keepdims=True)  # at least 1 is divided by
                return e
        ''',
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
                m = {np}.max(x, axis=axis, keepdims=True) + 0.0 if x.size else 0.0
                e = x - m
                {np}.exp(e, out=e)
                total = {np}.sum(e, axis=axis, keepdims=True)
                e *= 1 / (total if x.size else 1.0)
                return e, {np}.squeeze({np}.log(total) + m, axis=axis)
        ''',
        "rows": '''
            def {name}(*vectors):
                """Return vectors as the rows of a matrix; `np.stack` takes three times as long."""
                return {np}.concatenate(vectors).reshape(len(vectors), -1)
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
                if c is None:
                    return {np}.linalg.solve(a, b)
                if b.ndim == 1 or b.shape[1] < len(b):
                    return linalg.cho_solve((c, True), b, check_finite=False)
                trsm = linalg.get_blas_funcs("trsm", (c, b))  # many columns: as rows from the right, which is faster
                half = trsm(1, c, b.T, side=True, lower=True, trans_a=True)
                return trsm(1, c, half, side=True, lower=True, overwrite_b=True).T
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
        "upper_inverse": '''
            def {name}(factors, last=False):
                """Return the upper triangle of the inverse of a symmetric matrix that is factored, zeros below it."""
                a, c = factors
                if c is None:
                    return {np}.triu({np}.linalg.inv(a))
                return linalg.get_lapack_funcs(("potri",), (c,))[0](c, lower=True, overwrite_c=last)[0].T
        ''',
        "symmetric_dot": '''
            def {name}(upper, m):
                """Return the sum of all entries of s * m, both symmetric, where one triangle of s is given."""
                return 2 * {np}.vdot(upper, m) - {np}.vdot({np}.diag(upper), {np}.diag(m))
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
NEEDS_LINALG = frozenset({"factored", "solved", "factored_inverse", "upper_inverse"})
LINALG = dedent("""
    try:
        from scipy import linalg
    except ImportError:  # NumPy serves too, more slowly
        linalg = None
""").lstrip("\n")


__all__ = ["HELPERS", "LINALG", "NEEDS_LINALG"]
