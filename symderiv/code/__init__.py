"""NumPy source from expressions."""
