"""Markdown with symderiv blocks to documents; the built-in handouts."""
