"""`symderiv handout`: Markdown with `symderiv` blocks to documents."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

import click

from symderiv.cli.group import INTERRUPTED
from symderiv.cli.streams import MARKS, colourful, dim, print_json, styled
from symderiv.errors import SymderivError
from symderiv.handout.options import DETAILS, LAYOUTS, NUMBERINGS, VARIANTS

if TYPE_CHECKING:
    from symderiv.handout.builder import Record, Report

FORMATS = ("tex", "pdf", "html", "md", "py")
ENDED_BY_SIGNAL = 128  # an exit code beyond it names the signal


def read_formats(_ctx: click.Context, _option: click.Parameter, text: str) -> list[str]:
    """Return the formats of a list such as `tex,pdf`, each once."""
    wanted = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    for name in wanted:
        if name not in FORMATS:
            near = get_close_matches(name, FORMATS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {','.join(FORMATS)}"
            raise click.BadParameter(f"no format is called {name!r}; {hint}")
    if not wanted:
        raise click.BadParameter(f"choose from {','.join(FORMATS)}")
    return wanted


@click.command("handout")
@click.argument("source", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", default="output", show_default=True, type=click.Path(path_type=Path),
              help="The folder to write to; with --fragment, the file.")  # fmt: skip
@click.option("--format", "formats", default=",".join(FORMATS), show_default=True, callback=read_formats,
              help="The formats to write, parted by commas.")  # fmt: skip
@click.option("--detail", type=click.Choice(DETAILS),
              help="How much of each proof; normal where the source does not say.")  # fmt: skip
@click.option("--variant", type=click.Choice(VARIANTS),
              help="With proofs, as an exercise, or with the steps named and the expressions left out.")  # fmt: skip
@click.option("--layout", type=click.Choice(LAYOUTS), help="Show derivatives as matrices of a layout, too.")
@click.option("--numbering", type=click.Choice(NUMBERINGS), help="What stands beside the equations.")
@click.option("--fragment", metavar="LABEL", help="Write the one claim of that label as LaTeX for \\input.")
@click.option("--templates", metavar="DIR", type=click.Path(path_type=Path),
              help="A folder of templates of your own, which come before ours; in phrases/, languages.")  # fmt: skip
@click.option("--force", is_flag=True, help="Make every document again, also what is up to date.")
@click.option("--watch", is_flag=True, help="Build again whenever a source or a template changes.")
@click.option("--pdf-engine", "engine", type=click.Choice(["typst", "latex"]), default="typst", show_default=True,
              help="What makes the PDF; latex needs a TeX installation.")  # fmt: skip
@click.option("--language", metavar="CODE", help="The language of the fixed words: en, de, ja, or one of your own.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per claim and line.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    source: tuple[Path, ...],
    output: Path,
    formats: list[str],
    engine: str,
    as_json: bool,
    fragment: str | None,
    templates: Path | None,
    force: bool,
    watch: bool,
    **chosen: str | None,
) -> None:
    """Derive, check and typeset handouts: Markdown with `symderiv` blocks; by default the built-in ones.

    What is up to date in the folder is left as it is: where nothing has changed that a document is made of.

    The exit code is 1 where what became of a claim is not what its author expected, or a block cannot be read; the
    others are built all the same.
    """
    with _stoppable(output):
        handouts = import_module("symderiv.handout.build")  # takes a second
    if fragment is not None:
        ctx.exit(_write_fragment(handouts, source, fragment, output, templates, as_json, chosen))
    if output.is_file():
        raise click.BadParameter(f"{output} is a file, and a folder is needed", param_hint="-o")

    def run(paths: list[Path] | None) -> int:
        before = _files_in(output)
        notices: list[str] = []
        left: list[str] = []  # what is up to date

        def reused(name: str, records: Sequence[Record]) -> None:
            left.append(name)
            if as_json:
                for record in records:
                    print_json(record.as_json())

        with _stoppable(output), _reporting(as_json) as report:
            kept = import_module("symderiv.handout.reuse").Kept(output, force)
            records: list[Record] = handouts.build(
                paths, output, formats, engine=engine, templates=templates, report=report, notice=notices.append,
                kept=kept, reused=reused, **chosen,
            )  # fmt: skip
        for line in notices:
            click.echo(line, err=True)
        if not as_json:
            written = [path for path, stamp in _files_in(output).items() if before.get(path) != stamp]
            click.echo("\n".join(_summary(records, sorted(written), left)))
        return _exit_code(records)

    if watch:
        _watch(handouts, run, list(source) or handouts.built_in(chosen.get("language")), templates)
    ctx.exit(run(list(source) or None))


@contextmanager
def _stoppable(output: Path) -> Iterator[None]:
    """Say what an interruption leaves, and let whoever ends this process by SIGTERM have it tidy up, too."""
    before = None
    if current_thread() is main_thread():
        before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(ENDED_BY_SIGNAL + number))
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"interrupted: the files in {output} are whole, and another run goes on from there", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _exit_code(records: Sequence[Record]) -> int:
    return 1 if any(_surprising(r) for r in records) else 0


def _write_fragment(
    handouts: Any,
    source: Sequence[Path],
    label: str,
    output: Path,
    templates: Path | None,
    as_json: bool,
    chosen: Mapping[str, str | None],
) -> int:
    """Write one claim as LaTeX; return the exit code."""
    if len(source) != 1:
        raise click.UsageError("--fragment takes one claim of one source")
    if output.is_dir():
        raise click.BadParameter(f"{output} is a folder: name a file, such as {label}.tex", param_hint="-o")
    with _reporting(as_json) as report:
        alone = {**chosen, "numbering": chosen.get("numbering") or "none"}  # numbers are the paper's own
        built = handouts.read_and_decide(source[0], templates=templates, report=report, **alone)
    handouts.write_fragment(built, label, output, templates=templates)
    if not as_json:
        click.echo(str(output))
    return _exit_code(built.records)


def _watch(handouts: Any, run: Callable[[list[Path] | None], int], sources: list[Path], templates: Path | None) -> None:
    """Build now, and again after every change; only an interruption ends it. What is at fault is said."""
    watching = import_module("symderiv.handout.watching")
    changes = watching.changed_sources(sources, handouts.shared_files(sources, templates))
    todo: list[Path] | None = sources
    while todo is not None:
        try:
            run(todo)
        except SymderivError as error:
            click.echo(str(error), err=True)
        click.echo(dim("watching for changes; Ctrl-C ends it"), err=True)
        todo = next(changes, None)


@contextmanager
def _reporting(as_json: bool) -> Iterator[Report]:
    """Give the function that is called with each record as soon as it is there."""
    if as_json:
        yield lambda record: print_json(record.as_json())
    elif not (sys.stdout.isatty() and os.environ.get("TERM") != "dumb"):
        yield lambda record: click.echo("\n".join(_claim_lines(record)))
    else:
        with _progress() as report:
            yield report


@contextmanager
def _progress() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed} claims  {task.description}"),
        TimeElapsedColumn(),
    )
    console = Console(no_color=not colourful(sys.stdout))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def report(record: Record) -> None:
            for line in _claim_lines(record):
                progress.console.print(Text.from_ansi(line), soft_wrap=True)
            progress.update(task, advance=1, description=Text(record.handout).markup)

        yield report


def _surprising(record: Record) -> bool:
    return record.status != record.expected


def _claim_lines(record: Record) -> Iterator[str]:
    """Return a line on one claim, and more where it did not turn out as expected."""
    notes = [record.basis] if record.basis else []
    if _surprising(record):
        notes.append(f"expected: {record.expected}")
    elif record.status in ("refuted", "rejected"):
        notes.append("expected")
    note = f" ({', '.join(notes)})" if notes else ""
    name = record.label or record.id
    yield f"{dim(record.handout)}  {_claim_mark(record)} {name}  {record.status}{note}"
    if _surprising(record):
        if record.status == "unreadable":
            yield from (f"    {line}" for line in record.condition.splitlines())
            return
        yield f"    claim: {record.claim}"
        if record.counterexample:
            yield from (f"    {line}" for line in _where_it_fails(record.counterexample))
        if record.correct:
            yield f"    correct: {record.correct}"


def _where_it_fails(found: Mapping[str, Any]) -> Iterator[str]:
    from symderiv.verdict import told_apart

    sizes = [f"{name} = {value}" for name, value in found["sizes"].items()]
    entry = f"entry {found['entry']}, counted from 0: " if found["entry"] else ""
    left, right = told_apart(found["left"], found["right"])
    at = ", ".join([*sizes, f"seed {found['seed']}"])
    yield f"counterexample at {at}:"
    yield f"  {entry}the left side is {left}, the right side {right}"


def _claim_mark(record: Record) -> str:
    """Return the mark of a status, green where it is as expected."""
    mark = MARKS.get(record.status, "?")
    return styled(mark, "red" if _surprising(record) else "green", bold=True)


def _summary(records: Sequence[Record], written: Sequence[Path], left: Sequence[str]) -> Iterator[str]:
    """Return one line for each handout, with its files, one for files that belong to none, and the way to force."""
    names = list(dict.fromkeys(record.handout for record in records))
    files: dict[str, list[Path]] = {name: [] for name in names}
    others: list[Path] = []
    for path in written:
        files.get(_owner(path, names), others).append(path)
    if not names:
        yield "no claims: they stand in blocks that begin with ```symderiv"
    for name in names:
        own = [record for record in records if record.handout == name]
        listed = f" → {', '.join(map(str, files[name]))}" if files[name] else ""
        yield f"{styled(name, bold=True)}: {_count(own)}{', up to date' if name in left else listed}"
    if others:
        yield f"written: {', '.join(map(str, others))}"
    if left:
        yield dim("what is up to date was left as it is; --force makes it again")


def _owner(path: Path, names: Sequence[str]) -> str:
    """Return the handout that a file is named after, or nothing."""
    fitting = [n for n in names if re.match(rf"{re.escape(n)}(?![^\W_])", path.stem) or n in path.parent.parts]
    return max(fitting, key=len, default="")


def _count(records: Sequence[Record]) -> str:
    found = [record.status for record in records]
    statuses = ", ".join(f"{found.count(status)} {status}" for status in dict.fromkeys(found))
    wrong = [record.label or record.id for record in records if _surprising(record)]
    verdict = f"not as expected: {', '.join(wrong)}" if wrong else "all as expected"
    claims = "1 claim" if len(records) == 1 else f"{len(records)} claims"
    return f"{claims} ({statuses}), " + styled(verdict, "red" if wrong else "green")


def _files_in(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return the files in a folder with a stamp that changes when they are written."""
    paths = [*folder.glob("[!.]*"), *folder.glob("*/*")]
    found = {path: path.stat() for path in paths if path.is_file()}
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in found.items()}
