"""Claims about families: the window that a claim is read in, and induction."""
