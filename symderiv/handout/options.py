"""What may be chosen for a handout, in its front matter and on the command line."""

from __future__ import annotations

DETAILS = ("brief", "normal", "full")
VARIANTS = SOLUTION, EXERCISE, HINTS = ("solution", "exercise", "hints")
LAYOUTS = ("array", "numerator", "denominator")
ARRAY = LAYOUTS[0]
NUMBERINGS = ("none", "labels", "numbers")
