"""What the command line prints: tables that a person likes to read on standard output, or JSON; progress and errors on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def print_json(value: Any) -> None:
    """``value`` as indented UTF-8 JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def fail(code: str, message: str, exit_code: int) -> NoReturn:
    """Say one error and leave. With ``--json`` on the command line the error is JSON too, on standard output."""
    if "--json" in sys.argv:
        print_json({"error": {"code": code, "message": message}})
    else:
        err.print(message, style="bold", markup=False)
        err.print(f"({code})", style="dim", markup=False)
    sys.exit(exit_code)


def table(title: str, columns: list[tuple[str, str]], rows: list[list[str]], caption: str = "") -> None:
    """Print a ruled table; each column is (title, "left" | "right")."""
    grid = Table(title=title or None, caption=caption or None, title_justify="left", caption_justify="left", box=None, pad_edge=False)
    for name, side in columns:
        # Figures are never folded; words are.
        grid.add_column(name, justify="right" if side == "right" else "left", no_wrap=side == "right", header_style="bold")
    for row in rows:
        grid.add_row(*[_escape(cell) for cell in row])
    out.print(grid)


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Callable[[float, str], None]]:
    """A progress bar on standard error, drawn only where it is a terminal; yields ``progress(fraction, message)``."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=quiet or not err.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=1.0)

        def report(fraction: float, message: str) -> None:
            bar.update(task, completed=fraction, description=_escape(message[:60]))

        yield report
