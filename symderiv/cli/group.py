"""The group of commands: names that come near, errors as one message, exit codes."""

from __future__ import annotations

import errno
import re
import sys
import traceback
from difflib import get_close_matches
from typing import Any, NoReturn

import click

from symderiv.cli.streams import styled, survive_narrow_encodings
from symderiv.errors import SymderivError, UnknownNameError

PROVED, REFUTED, USAGE, UNDECIDED, UNEXPECTED, INTERRUPTED = 0, 1, 2, 3, 70, 130
EXIT = {"proved": PROVED, "refuted": REFUTED, "undecided": UNDECIDED}
MOST_SHOWN = 200  # characters of a command's first sentence
DECLARE = "declare it with its shape"
ISSUES = "the project's issue tracker"


class Commands(click.Group):
    """The group of commands: suggests names, and turns errors into one message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a newcomer meets them, which is that of `main`."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with the whole first sentence of its help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, c.get_short_help_str(MOST_SHOWN)) for name, c in self.commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            known = self.list_commands(ctx)
            near = get_close_matches(args[0], known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            ctx.fail(f"no command is called {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        survive_narrow_encodings()
        try:
            return super().invoke(ctx)
        except SymderivError as error:
            _fail(str(error), USAGE)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _fail(str(error), USAGE)
        except Exception as error:
            _unexpected(error, debug=bool(ctx.params.get("debug")))


class Reader(click.Command):
    """A command whose argument is an expression, which may begin with a minus sign."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        short = {"-h", *(word for option in self.params for word in option.opts)}
        return super().parse_args(ctx, [f" {a}" if re.match(r"-[^-]", a) and a not in short else a for a in args])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UnknownNameError as error:
            error.hint = error.hint.replace(DECLARE, f"{DECLARE}, as in --shape 'X: (n, p)'", 1)
            raise


def _fail(text: str, code: int) -> NoReturn:
    click.echo(styled("error: ", "red", stream=sys.stderr) + text, err=True)
    raise click.exceptions.Exit(code)


def _unexpected(error: Exception, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exception(error)
    said = " ".join(f"{type(error).__name__}: {error}".split())
    how = "" if debug else " (symderiv --debug … shows where it happened)"
    _fail(f"unexpected {said}; please report it at {ISSUES}{how}", UNEXPECTED)
