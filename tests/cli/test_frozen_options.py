"""Options of the command and keys of a recipe are a promise: none comes, goes or changes unseen.

After a change that is meant:  python tests/cli/test_frozen_options.py > tests/cli/options.txt
"""

from pathlib import Path

from affekt.cli.keys import recipe_keys
from affekt.cli.parsing import build_parser, parsers

FROZEN = Path(__file__).with_name("options.txt")


def option_lines():
    """``affekt train --seed N``: one line a positional argument or option, its choices in braces."""
    for path, parser in parsers(build_parser()).items():
        for action in parser._actions:
            if action.dest in ("help", "verb") or action.nargs == "A...":
                continue
            choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
            value = "" if action.nargs == 0 else choices or action.metavar or action.dest.upper()
            many = "" if action.nargs in (None, 0) else str(action.nargs)
            yield " ".join(["affekt", *filter(None, (*path, "|".join(action.option_strings), value + many))])


def key_lines():
    """``recipe training.epochs: whole number 1 or more = 15``: one line a key."""
    for key in recipe_keys():
        kind = f"{key.kind} {', '.join(key.choices)}" if key.kind == "one of" else f"{key.kind} {key.span}"
        yield f"recipe {key.name}: {kind.strip()} = {key.default or 'absent'}"


def current():
    return sorted({*option_lines(), *key_lines()})


def test_options_and_keys_are_the_frozen_ones():
    now, frozen = current(), FROZEN.read_text().splitlines()
    gone = sorted(set(frozen) - set(now))
    added = sorted(set(now) - set(frozen))
    assert (gone, added) == ([], []), "see the first lines of this file"
    assert now == frozen


if __name__ == "__main__":
    print(*current(), sep="\n")
