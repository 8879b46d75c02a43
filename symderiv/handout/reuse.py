"""What is up to date is not made again.

Beside the documents of a folder stands `.symderiv.json`.  Of each document it has a digest of all that the document is
made of, the digests of the files that were written, and what became of its claims.  Where all of these are as they
were, there is nothing to do.  Contents are compared, never times.

A document is made of its source as read, with options and preamble; of the templates; and of what makes it
(:mod:`symderiv.handout.surroundings`).  One whose claims did not all turn out as expected is always made again, and
so is a PDF by LaTeX, which reads files that nobody names here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from symderiv.aside import take_away_leftovers, write_aside
from symderiv.handout.builder import Record
from symderiv.handout.source import Source
from symderiv.handout.surroundings import contents, surroundings
from symderiv.render.pdf import families
from symderiv.render.phrases import more_phrases, resolve

FILE = ".symderiv.json"
VERSION = 1
LATEX = "latex"


@dataclass
class Made:
    """A document as it was written: of what, its files by format with their digests, and what became of its claims."""

    of: str
    records: list[Record]
    written: dict[str, dict[str, str]] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)  # of a format that was left out, why


def made_of(source: Source, templates: Path | None, engine: str) -> str:
    """Return the digest of all that a document is made of."""
    with more_phrases(templates):
        fonts = families(resolve(source.language))
    own = contents(templates) if templates is not None else ""
    parts = [repr(source), own, engine, surroundings(), *fonts]
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class Kept:
    """What is known of the documents in a folder; with `force`, what is up to date counts for nothing."""

    def __init__(self, folder: Path, force: bool = False) -> None:
        self.folder, self.force = folder, force
        take_away_leftovers(folder)

    def current(self, name: str, of: str, formats: Sequence[str]) -> Made | None:
        """Return a document that is up to date in all of these formats; None where it has to be made."""
        made = None if self.force else self.read().get(name)
        if made is None or made.of != of or not set(formats) <= set(made.written):
            return None
        files = {file: digest for fmt in formats for file, digest in made.written[fmt].items()}
        return made if all(self.digest(file) == digest for file, digest in files.items()) else None

    def keep(self, name: str, made: Made, engine: str) -> None:
        """Note a document that was made, together with the formats that it was made in before of the same."""
        known = self.read()
        before = known.pop(name, None)
        if before is not None and before.of == made.of:
            made.written = before.written | made.written
            made.notices = before.notices | made.notices
        if engine == LATEX:
            made.written.pop("pdf", None)
        if made.written and all(record.as_expected for record in made.records):
            known[name] = made
        documents = {name: asdict(made) for name, made in sorted(known.items())}
        data = json.dumps({"version": VERSION, "documents": documents}, ensure_ascii=False, default=str)
        write_aside(self.folder / FILE, f"{data}\n".encode("utf-8", "surrogatepass"))

    def read(self) -> dict[str, Made]:
        """Return what is kept; a file that cannot be read keeps nothing."""
        try:
            data = json.loads((self.folder / FILE).read_text(encoding="utf-8", errors="surrogatepass"))
            return {str(k): _made(v) for k, v in data["documents"].items()} if data["version"] == VERSION else {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}

    def digest(self, file: str) -> str:
        """Return the digest of a file in the folder; nothing where it is not there."""
        try:
            return digest_of((self.folder / file).read_bytes())
        except OSError:
            return ""


def digest_of(content: bytes) -> str:
    """Return the digest of what a file holds."""
    return sha256(content).hexdigest()


def _made(data: Mapping[str, Any]) -> Made:
    records = [Record(**record) for record in data["records"]]
    written = {
        fmt: {str(file): str(digest) for file, digest in files.items()} for fmt, files in data["written"].items()
    }
    return Made(str(data["of"]), records, written, dict(data["notices"]))
