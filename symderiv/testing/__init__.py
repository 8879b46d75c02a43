"""Help for tests: random expressions and arrays, a search for defects.

`symderiv.testing.strategies` (for hypothesis) draws shapes, expressions, derivatives to take, and arrays that
fulfil an assumption; `python -m symderiv.testing.fuzz` examines random derivatives for as long as it may.
"""
