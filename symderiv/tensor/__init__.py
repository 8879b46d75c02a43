"""The matrix language: nodes, operations, text in and text out."""
