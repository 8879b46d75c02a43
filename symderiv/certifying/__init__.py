"""Certificates for claims about families."""
