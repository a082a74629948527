"""``affekt report``: the report of a study again, also of one that is half done."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from affekt.cli.options import add_data_root, data_root
from affekt.cli.printing import say, write
from affekt.errors import UsageError, first

FORMATS = ("html", "markdown", "latex", "csv")


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("report", help="a study's report, or its tables as Markdown, LaTeX or CSV")
    parser.add_argument("study", type=Path, metavar="STUDY", help="folder of a study, finished or not")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="html: the page with its figures (default, but with --items or --archive); else tables on stdout",
    )
    parser.add_argument(
        "--table", metavar="NAME", help="with --format, this one only: conditions, comparisons, attribution, ..."
    )
    parser.add_argument(
        "--items",
        type=Path,
        metavar="FILE",
        help="write every test item of every run as one long table, .csv or .parquet",
    )
    parser.add_argument(
        "--archive",
        type=Path,
        metavar="FILE",
        help="write the finished runs, without weights, as one .zip; unpacked, affekt study goes on with it",
    )
    parser.add_argument(
        "--answers",
        action="store_true",
        help="with --archive, keep what each run said of each test picture, for affekt compare-humans",
    )
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument(
        "--pictures", action="store_true", default=None, help="show test pictures, whatever their licence says"
    )
    pictures.add_argument("--no-pictures", action="store_false", dest="pictures", help="name test pictures by id only")
    add_data_root(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    root = data_root(args)
    if args.table is not None and args.format in (None, "html"):
        raise UsageError(f"--table {args.table}: as what? add --format csv, markdown or latex")
    if args.answers and args.archive is None:
        raise UsageError("--answers: kept in an archive; add --archive FILE.zip")
    from affekt.study.comparison import compare_folder
    from affekt.study.frame import frame_in
    from affekt.study.report import tables
    from affekt.study.reporting import report
    from affekt.study.verdict import in_words

    frame = frame_in(args.study)
    comparison = compare_folder(args.study, frame)
    if args.items is not None:
        from affekt.study.exporting import export_items

        say(f"{args.items}: {export_items(args.study, frame, args.items):,} rows")
    if args.archive is not None:
        from affekt.study.archiving import archive

        held = archive(args.study, frame, args.archive, answers=args.answers)
        left = f"; left out, since an unfinished ensemble needs them whole: {first(held.left_out)}"
        say(f"{args.archive}: {held.runs} runs{left if held.left_out else ''}")
    say(*(f"note: {note}" for note in comparison["notes"]))
    if args.format is None and (args.items is not None or args.archive is not None):
        return 0
    if args.format not in (None, "html"):
        write(
            tables(comparison, args.format, only=args.table) if comparison["conditions"] else "no run is finished yet"
        )
        return 0
    files = report(args.study, frame, pictures=args.pictures, data_root=root)
    write(f"{in_words(comparison['verdict'])}\n\nreport: {files[0]}")
    return 0
