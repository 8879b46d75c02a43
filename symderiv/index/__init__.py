"""The index language: nodes on SymPy, the normal form, rules, and the rewriter that replays a derivation."""
