"""Proofs as texts for Coq with MathComp: one lemma for each step, and a theorem that says what it presupposes."""
