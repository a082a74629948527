"""``affekt compare-humans``: models held against what people say of the same stimuli."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.compare_table import print_comparison, said
from affekt.cli.data_reading import add_options, reader_option
from affekt.cli.layers import layers
from affekt.cli.options import add_data_root, add_json, data_root, natural, new_file, positive
from affekt.cli.printing import say, write_json

if TYPE_CHECKING:
    from affekt.cli.compared_stimuli import StimuliOfPeople
    from affekt.humans.comparison import Comparison

SPLITS = ("all", "train", "validation", "test")
DEFAULT_RESAMPLES = 1000
LIMIT = "so many stimuli, drawn by the seed, the same for all models; of a study those of --manipulate (default: all)"


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("compare-humans", help="hold models against people's ratings, votes or trials")
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="+",
        help="a run or model folder, a table of answers (.csv, .parquet, .npz), a network's name (features alone), or "
        "the folder of a study",
    )
    parser.add_argument(
        "--humans", required=True, metavar="PEOPLE", help="oasis, ferplus, crema-d, cifar10h, or a table of yours"
    )
    parser.add_argument("--split", choices=SPLITS, help="of people's pictures (default: what no run learned from)")
    parser.add_argument("--stimuli", type=Path, metavar="DIR", help="pictures of a table (default: the table's folder)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="new folder (default: comparisons/PEOPLE)")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write every answer as a long .csv or .parquet")
    parser.add_argument(
        "--layers",
        type=layers,
        default=(),
        metavar="X,X",
        help="layer by layer, too: stages, or last, map, stage-1 ..., a module's name",
    )
    parser.add_argument("--resamples", type=positive, default=DEFAULT_RESAMPLES, metavar="N", help="default: 1000")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="of all that is drawn (default: 0)")
    add_options(parser, "option of people's reader, e.g. modality=voice or scale=1..9; repeatable")
    parser.add_argument(
        "--answers",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what stands in a MODEL that is a table: id=COLUMN, response=COLUMN, condition=COLUMN, scale=1..7, "
        "categories=COLUMN,COLUMN ...; of one table alone: TABLE:KEY=VALUE; repeatable",
    )
    parser.add_argument(
        "--manipulate",
        nargs="+",
        metavar="NAME[=STRENGTH,...]",
        help="of a study: its test pictures manipulated, e.g. eyes mouth inverted, network against network",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help=LIMIT)
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument("--pictures", action="store_true", default=None, help="show them, whatever the licence")
    pictures.add_argument("--no-pictures", action="store_false", dest="pictures", help="name pictures by id only")
    add_data_root(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    root = data_root(args)
    from affekt.cli.compared_study import run_study, study_named

    study = study_named(args)
    from affekt.cli.compared_models import ask, named_models
    from affekt.cli.compared_stimuli import of_people
    from affekt.humans.comparison import compare
    from affekt.humans.comparison.report import check_folder
    from affekt.humans.people import Ratings, read_people

    people = read_people(args.humans, data_root=root, options=dict(map(reader_option, args.options)))
    out = check_folder(args.out if args.out is not None else Path("comparisons") / people.name)
    if args.table is not None:
        new_file(args.table, what="--table", made=out)
    if study is not None:
        run_study(args, study, people, out=out, root=root, command=_command(args))
        return 0
    rated = args.humans if isinstance(people, Ratings) else "oasis"
    models = named_models(args.models, rated=rated, options=args.answers)
    stimuli = of_people(people, args.humans, root=root, folder=args.stimuli)
    chosen = stimuli.choose(args.split, models, limit=args.limit, seed=args.seed)
    asked = ask(models, stimuli, chosen, layers=args.layers, seed=args.seed)
    found = compare(chosen.people, asked, resamples=args.resamples, seed=args.seed)
    found = replace(found, cautions=chosen.cautions, notes=(*chosen.notes, *found.notes))
    _write(args, found, stimuli, chosen.to_json(), out)
    return 0


def _write(
    args: argparse.Namespace, found: Comparison, stimuli: StimuliOfPeople, split: dict[str, Any], out: Path
) -> None:
    from affekt.cli.compared_pictures import shown
    from affekt.humans.comparison import to_json
    from affekt.humans.comparison.report import About, write_comparison

    pictures, why = shown(stimuli, args.pictures)
    about = About(
        command=_command(args),
        citation=stimuli.citation,
        more={"split": split},
        pictures=pictures,
        no_pictures=why,
    )
    report = write_comparison(found, out, about)[0]
    if args.table is not None:
        _table(args.table, found)
    if args.json:
        write_json(to_json(found, split=split))
    else:
        print_comparison(found)
    of_parts = [f"{part.title}: {note}" for part in found.parts for note in part.notes]
    say(*said(found.cautions, [*dict.fromkeys(found.notes), *of_parts]), f"report: {report}")


def _table(path: Path, found: Comparison) -> None:
    from affekt.humans.comparison.long_table import answer_rows
    from affekt.humans.people import write_table

    rows, notes = answer_rows(found)
    say(f"{path}: {write_table(path, rows):,} rows", *(f"note: {note}" for note in notes))


def _command(args: argparse.Namespace) -> str:
    """What was asked, as it can be typed again."""
    words = ["affekt", "compare-humans", *args.models, "--humans", args.humans]
    for name in ("split", "stimuli"):
        value = getattr(args, name)
        words += [] if value is None else [f"--{name}", str(value)]
    words += ["--layers", ",".join(args.layers)] if args.layers else []
    words += [word for option in args.options for word in ("--option", option)]
    words += [word for option in args.answers for word in ("--answers", option)]
    words += ["--manipulate", *args.manipulate] if args.manipulate else []
    words += [] if args.limit is None else ["--limit", str(args.limit)]
    return shlex.join([*words, "--resamples", str(args.resamples), "--seed", str(args.seed)])
