"""``wombat-ari import`` and ``export``: numbers into a list and out of it."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click

from wombat_ari.app.commands.opened import opened, with_dialer
from wombat_ari.model.errors import UserError
from wombat_ari.model.lists import ImportSummary

SHOWN = 20  #: refused lines shown, unless all are asked for


@click.command("import")
@click.argument("name", metavar="LIST")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--csv", "as_csv", is_flag=True, help="The file is CSV (taken for granted when its name ends in .csv).")
@click.option("--delimiter", help="Delimiter of the CSV; found out when not given.")
@click.option("--dedupe", is_flag=True, help="Leave out numbers that are on the list already.")
@click.option("--all-refusals", is_flag=True, help=f"Show every refused line kept, not the first {SHOWN}.")
@click.pass_context
def import_list(
    ctx: click.Context, name: str, file: Path, as_csv: bool, delimiter: str | None, dedupe: bool, all_refusals: bool
) -> None:
    """Put the numbers of FILE into LIST, which is made when there is none. FILE may be - for standard input.

    Native text has one record a line: number,NAME:value,NAME:value. Bad lines are told by number and never stop the
    good ones; exit status 1 when there were any.
    """
    from wombat_ari.app.service import lists, records

    caller, database = opened(ctx)
    csv = as_csv or bool(delimiter) or file.suffix.lower() == ".csv"
    with _open(file) as source, _Progress(file) as progress:
        call_list = lists.list_for_numbers(caller, database, name)
        summary = records.import_numbers(
            caller, database, call_list.id or 0, source=source, csv=csv, delimiter=delimiter, dedupe=dedupe,
            progress=progress.show,
        )  # fmt: skip
    if summary.added:
        with_dialer(ctx, lambda beside: beside.act(records.numbers_came, name), database=database)
    _tell(summary, name, None if all_refusals else SHOWN)
    sys.exit(1 if summary.refused else 0)


@click.command("export")
@click.argument("name", metavar="LIST")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file, not to standard output.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, not as native text.")
@click.pass_context
def export_list(ctx: click.Context, name: str, output: Path | None, as_csv: bool) -> None:
    """Write the numbers of LIST with all their attributes."""
    from wombat_ari.app.service import lists, records

    caller, database = opened(ctx)
    list_id = lists.find_list(caller, database, name).id or 0
    with _created(output) as target:
        for piece in records.export(caller, database, list_id, csv=as_csv):
            target.write(piece)


def _open(file: Path) -> Any:
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        stream: BinaryIO = file.open("rb")
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    return stream


def _created(output: Path | None) -> Any:
    if output is None:
        return nullcontext(sys.stdout)
    try:
        stream: TextIO = output.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror}") from None
    return stream


class _Progress:
    """A bar on a terminal, by the bytes read; nothing in a pipe."""

    def __init__(self, file: Path) -> None:
        self._size = file.stat().st_size if str(file) != "-" and file.exists() else 0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "_Progress":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("reading", total=self._size or None)
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, summary: ImportSummary) -> None:
        if self._bar is not None:
            text = f"{summary.added:,} added"
            self._bar.update(self._task, completed=summary.bytes_read, description=text)


def _tell(summary: ImportSummary, name: str, shown: int | None) -> None:
    click.echo(
        f"list {name}: {summary.read:,} read, {summary.added:,} added, {summary.duplicates:,} duplicates,"
        f" {summary.refused:,} refused"
    )
    _tell_lines([(refusal.line, refusal.reason) for refusal in summary.refusals], summary.refused, shown)
    if summary.remarked:
        click.echo("taken, but:", err=True)
        _tell_lines([(remark.line, remark.text) for remark in summary.remarks], summary.remarked, shown)


def _tell_lines(told: list[tuple[int, str]], total: int, shown: int | None) -> None:
    for line, text in told[:shown]:
        click.echo(f"  line {line}: {text}", err=True)
    hidden = total - len(told[:shown])
    if hidden > 0:
        click.echo(f"  and {hidden:,} more", err=True)
