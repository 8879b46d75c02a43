"""Checks that share no code with the engine but the node types."""
