"""The statement language: declarations, definitions, claims."""
