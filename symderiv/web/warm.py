"""Imported before processes are forked: everything is loaded, and has been used once."""

from symderiv.web.answers import answer, load

load()
answer({"ask": "proof", "expr": "sum(log(1 + exp(-y * (X @ w)))) + logdet(S)", "wrt": ["w"]})
