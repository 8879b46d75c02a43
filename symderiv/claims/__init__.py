"""How claims are proved: derivatives, equalities, expansions, approximations, hypotheses."""
