"""`symderiv explain`: what a rule of a proof says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from symderiv.cli.printing import sentences
from symderiv.cli.streams import columns, dim, print_json, styled

if TYPE_CHECKING:
    from symderiv.reference.examples import Computed
    from symderiv.reference.pages import Page

LONGEST_RESULT = 72  # characters of the derivative of an example; a longer one is left out


def completed(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the rules whose names begin as typed."""
    from symderiv.check.kernel import rules

    return [CompletionItem(name) for name in rules() if name.startswith(typed)]


@click.command("explain")
@click.argument("rule", nargs=-1, shell_complete=completed)
@click.option("--latex", is_flag=True, help="Print the step of the example as LaTeX.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a rule.")
def command(rule: tuple[str, ...], latex: bool, as_json: bool) -> None:
    """Say what a RULE of a proof states, why it is true, where it is from, and show it at work.

    Without a RULE: the list of all rules.
    """
    from symderiv.reference.pages import page, pages

    found = [page(" ".join(rule))] if rule else pages()
    if as_json:
        for p in found:
            print_json(_record(p))
    elif rule:
        click.echo("\n\n".join(_page(found[0], latex)))
    else:
        click.echo("\n".join(_listed(found)))


def _record(page: Page) -> dict[str, Any]:
    example = page.computed()
    return {**asdict(page), "example": asdict(example) if example else None}


def _page(page: Page, latex: bool) -> Iterator[str]:
    """Yield the parts of a page."""
    yield f"{styled(page.name, bold=True)}  {dim(page.group)}"
    yield from (_plain(paragraph) for paragraph in page.statement.split("\n\n"))
    for title, text in (("Proof", page.proof), ("Source", page.source)):
        if text:  # a rule of somebody's own may lack it
            yield f"{dim(f'{title}:')} {_plain(text)}"
    example = page.computed()
    if example is None:
        yield dim("The engine takes no such step itself; the kernel accepts it in proofs from elsewhere.")
    else:
        yield "\n".join(_example(example, latex))


def _example(example: Computed, latex: bool) -> Iterator[str]:
    from symderiv.render.terminal import broken

    yield dim("Example:")
    yield from (f"  {line}" for line in example.statements)
    step = f"{example.before} = {example.after}" if latex else str(example)
    first, *more = [step] if latex else broken(step, columns() - 6, 4)
    yield f"  ⟹ {first}"
    yield from (f"      {piece}" for piece in more)
    if len(example.result) <= LONGEST_RESULT:
        yield dim(f"  the result: {example.result}")


def _plain(text: str) -> str:
    """Return a text with its formulas marked where colours show."""
    words = sentences(text.replace("`", "\0"))
    return re.sub(r"\0([^\0]*)\0", lambda m: styled(m[1], bold=True), words).replace("\0", "")


def _listed(pages: list[Page]) -> Iterator[str]:
    """Yield every rule with the beginning of its statement, group by group."""
    from symderiv.render.terminal import wrapped

    width = max(len(p.name) for p in pages)
    group = ""
    for p in pages:
        if p.group != group:
            group = p.group
            yield dim(f"{group}:")
        statement = p.statement.partition("\n")[0].replace("`", "")
        first, *more = wrapped(statement, columns() - width - 4)
        yield f"  {styled(p.name.ljust(width), bold=True)}  {first}"
        yield from (" " * (width + 4) + piece for piece in more)
