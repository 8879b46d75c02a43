"""Definitions as a computational graph: values forward with their shapes, derivatives back along the chain rule."""

from symderiv.diagrams.diagram import Diagram

__all__ = ["Diagram"]
