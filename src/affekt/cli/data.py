"""``affekt data``: which data sets there are, what is known of one, get it, check a copy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affekt.cli.data_compose import register_compose
from affekt.cli.data_diffuse import register_diffuse
from affekt.cli.data_pack import register_pack
from affekt.cli.data_reading import add_reading, named, of_clips, progress, settings_of
from affekt.cli.options import add_data_root, add_json, positive
from affekt.cli.printing import say, write_json, write_record, write_table
from affekt.errors import UsageError

if TYPE_CHECKING:
    from affekt.data import Description
    from affekt.data.checking import Report


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("data", help="list, describe, fetch, check, pack and derive data sets")
    verbs = parser.add_subparsers(metavar="VERB", dest="data_verb", required=True)
    _register_list(verbs.add_parser("list", help="the data sets that can be read, with licence and where they are"))
    _register_info(verbs.add_parser("info", help="everything that is known of a data set: layout, options, citation"))
    _register_fetch(
        verbs.add_parser("fetch", help="get a data set: hashed, resumed where it broke off, unpacked safely")
    )
    _register_check(verbs.add_parser("check", help="what is missing, altered or does not decode in a copy"))
    register_pack(
        verbs.add_parser("pack", help="a set in memory-mapped files: clips decoded once, pictures or their bytes")
    )
    register_compose(
        verbs.add_parser("compose", help="films of utterances and faces of one emotion, to check the path")
    )
    register_diffuse(verbs.add_parser("diffuse", help="make a derived set: pictures re-made by a model, or noised"))


def _register_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="?", default="*", metavar="PATTERN", help='e.g. "cifar*" (default: all)')
    add_data_root(parser)
    add_json(parser)
    parser.set_defaults(run=list_sets)


def _register_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="data set (affekt data list)")
    add_data_root(parser)
    add_json(parser)
    parser.set_defaults(run=info)


def _register_fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="data set (affekt data list)")
    parser.add_argument(
        "--from",
        type=Path,
        dest="source",
        metavar="PATH",
        help="take the files from this folder or file, not the network",
    )
    add_data_root(parser)
    add_json(parser)
    parser.set_defaults(run=fetch)


def _register_check(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    parser.add_argument("--quick", action="store_true", help="do not decode pictures and clips")
    parser.add_argument("--workers", type=positive, default=4, metavar="N", help="threads that decode (default: 4)")
    add_json(parser)
    parser.set_defaults(run=check)


def list_sets(args: argparse.Namespace) -> int:
    """``affekt data list``."""
    from affekt.data import describe, list_datasets

    names = list_datasets(args.pattern)
    if not names:
        raise UsageError(f'data set "{args.pattern}": none matches; all: affekt data list')
    found = [_summary(describe(name), args.data_root) for name in names]
    if args.json:
        write_json(found)
        return 0
    columns = ("name", "kind", "items", "labels", "get it", "here", "licence")
    rows = ({**row, "items": row.get("pictures", row.get("clips"))} for row in found)
    write_table(columns, ([row[c] for c in columns] for row in rows))
    return 0


def _summary(described: Description, root: Path | None) -> dict[str, Any]:
    how = "fetch" if described.sources else "by hand" if described.needs_folder else "pip"
    return {
        "name": described.name,
        "kind": described.kind,
        "title": described.title,
        "clips" if described.kind == "audiovisual" else "pictures": described.expected,
        "labels": ", ".join(described.labels),
        "get it": how,
        "here": "yes" if how == "pip" or described.is_in(_folder(described, root)) else "no",
        "licence": described.licence,
    }


def _folder(described: Description, root: Path | None) -> Path:
    from affekt.data import dataset_folder
    from affekt.recipe import DataSettings

    return dataset_folder(DataSettings(name=described.name), root)


def info(args: argparse.Namespace) -> int:
    """``affekt data info NAME``."""
    described = named(args.name, "check")
    clips = of_clips(described)
    record: dict[str, Any] = {
        **_summary(described, args.data_root),
        "categories": list(described.categories),
        "citation": described.citation,
        "homepage": described.homepage,
        "folder": str(_folder(described, args.data_root)),
        "layout": " ".join(described.layout.split()),
        "tasks": dict(clips.tasks) if clips else {},
        "options": dict(described.options),
        "files": [
            {"file": s.file, "size": s.size, "sha256": s.sha256, "urls": list(s.urls)} for s in described.sources
        ],
        "pictures may be shown": described.show_pictures,
    }
    if args.json:
        write_json(record)
        return 0
    tasks, options, files = record.pop("tasks"), record.pop("options"), record.pop("files")
    shown = {k: ", ".join(v) if isinstance(v, list) else v for k, v in record.items()}
    shown |= {f"task {name}": about for name, about in tasks.items()}
    shown |= {f"option {name}": about for name, about in options.items()}
    shown |= {f"file {f['file']}": f"{f['size']:,} bytes, SHA-256 {f['sha256']}" for f in files}
    write_record(
        {k: ("yes" if v else "no") if isinstance(v, bool) else v for k, v in shown.items() if v not in ("", None)}
    )
    return 0


def fetch(args: argparse.Namespace) -> int:
    """``affekt data fetch NAME``."""
    from affekt.data import describe
    from affekt.data.fetching import fetch as fetch_set

    described = describe(args.name)
    folder = _folder(described, args.data_root)
    with progress("bytes") as step:
        done = fetch_set(described, folder, source=args.source, progress=step)
    say(*(f"note: {note}" for note in done.notes))
    if args.json:
        state = {str(p): "was there" if p in done.already else "fetched" for p in done.files}
        write_json({"name": described.name, "folder": str(folder), "files": state, "notes": list(done.notes)})
        return 0
    write_table(("file", ""), ((str(p), "was there" if p in done.already else "fetched") for p in done.files))
    return 0


def check(args: argparse.Namespace) -> int:
    """``affekt data check NAME``: 0 when the copy is fit for use, 1 when it is not."""
    report = _report(args)
    if args.json:
        write_json(report.to_json())
        return 1 if report.problems else 0
    record: dict[str, Any] = {"data set": report.name, "folder": str(report.folder), report.unit: report.found}
    record |= {"expected": report.expected} if report.expected else {}
    record |= {"groups": report.groups, "decoded": report.decoded}
    record |= {f"split {name or 'free'}": n for name, n in report.splits.items()}
    record |= {f"category {name}": n for name, n in report.categories.items()}
    record |= {f"file {name}": state for name, state in report.files.items()}
    write_record(record)
    say(*(f"note: {note}" for note in report.notes), *(f"problem: {problem}" for problem in report.problems))
    return 1 if report.problems else 0


def _report(args: argparse.Namespace) -> Report:
    from affekt.data import dataset, dataset_folder
    from affekt.data.checking import check as check_set
    from affekt.data.packs.files import kind_of_pack

    clips = of_clips(named(args.name, "check"))
    if clips is not None:
        from affekt.data.audiovisual.checking import check_clips

        chosen = settings_of(clips, args)
        folder = dataset_folder(chosen, args.data_root)
        with progress("clips") as step:
            return check_clips(clips, folder, chosen, decode=not args.quick, workers=args.workers, progress=step)
    described = dataset(args.name)
    settings = settings_of(described, args)
    folder = dataset_folder(settings, args.data_root)
    if described.name == "pack" and kind_of_pack(folder) == "clips":
        from affekt.data.audiovisual.checking import check_packed_clips

        return check_packed_clips(folder, hashes=not args.quick)
    with progress("pictures") as step:
        return check_set(described, folder, settings, decode=not args.quick, workers=args.workers, progress=step)
