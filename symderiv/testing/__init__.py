"""Helpers for tests of hand-written derivatives."""
