"""LaTeX of the kind that notes use, read into the syntax of the statement language; nothing is evaluated."""
