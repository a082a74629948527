"""``affekt completion``: shell completion. The shell asks ``affekt __complete WORDS``, which knows options, recipes,
their conditions, recipe keys with their choices, and data sets."""

from __future__ import annotations

import argparse
import runpy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from affekt.cli.printing import write

FILES = "@files"
"""The line that tells a shell's script to offer files too."""

BASH = """\
# bash completion of affekt; in ~/.bashrc:  eval "$(affekt completion bash)"
_affekt() {
  local line current="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = "@files" ]; then
      compopt -o filenames
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    else
      [ "${line%=}" = "$line" ] || compopt -o nospace
      COMPREPLY+=("$line")
    fi
  done < <("${COMP_WORDS[0]}" __complete --split "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _affekt affekt
"""

ZSH = """\
#compdef affekt
# zsh completion of affekt; in ~/.zshrc after compinit:  eval "$(affekt completion zsh)"
_affekt() {
  local line
  for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case "$line" in
      "@files") _files ;;
      *=) compadd -S "" -- "$line" ;;
      ?*) compadd -- "$line" ;;
    esac
  done
}
compdef _affekt affekt
"""

FISH = """\
# fish completion of affekt; once:  affekt completion fish > ~/.config/fish/completions/affekt.fish
function __affekt_complete
  set -l words (commandline -opc)
  for line in ($words[1] __complete $words[2..] (commandline -ct) 2>/dev/null)
    if test "$line" = "@files"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c affekt -f -a "(__affekt_complete)"
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("completion", help="print the completion script of a shell")
    parser.add_argument("shell", choices=tuple(SCRIPTS), metavar="SHELL", help="bash, zsh or fish")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    write(SCRIPTS[args.shell].rstrip("\n"))
    return 0


def answer(words: Sequence[str]) -> int:
    """Print what may stand in place of the last word. ``--split`` first: the shell has cut words at ``=`` (bash)."""
    split = words[:1] == ["--split"]
    typed = join_at_equals(words[1:]) if split else list(words)
    found = list(candidates(typed or [""]))
    if split and "=" in (typed or [""])[-1]:
        found = [value for line in found if (value := line.rpartition("=")[2])]
    write("\n".join(found)) if found else None
    return 0


def join_at_equals(words: Sequence[str]) -> list[str]:
    """``["--set", "a", "=", "b"]`` -> ``["--set", "a=b"]``."""
    joined: list[str] = []
    glue = False
    for word in words:
        if joined and (glue or word == "="):
            joined[-1] += word
        else:
            joined.append(word)
        glue = word == "="
    return joined


def candidates(words: Sequence[str]) -> Iterator[str]:
    """What may stand in place of the last of ``words`` (those after ``affekt``), and :data:`FILES`."""
    *before, current = words
    parser, pending, position, path = _walk(before)
    if pending is not None:
        yield from _matching(_values(pending, path, before), current)
    elif current.startswith("--") and "=" in current:
        option, _, value = current.partition("=")
        action = parser._option_string_actions.get(option)
        if action is not None:
            yield from (f"{option}={v}" for v in _matching(_values(action, path, before), value) if v != FILES)
    elif current.startswith("-"):
        yield from _matching([o for a in parser._actions for o in a.option_strings], current)
    else:
        positionals = [a for a in parser._actions if not a.option_strings]
        if positionals and (position < len(positionals) or positionals[-1].nargs in ("+", "*")):
            action = positionals[min(position, len(positionals) - 1)]
            yield from _matching(_values(action, path, before), current)


def _walk(words: Sequence[str]) -> tuple[argparse.ArgumentParser, argparse.Action | None, int, tuple[str, ...]]:
    """The parser that finished words lead to, the option that waits for a value, how many positionals are given."""
    from affekt.cli.parsing import build_parser, parsers

    everything, position = parsers(build_parser()), 0
    known: tuple[str, ...] = ()
    pending: argparse.Action | None = None
    for word in words:
        if pending is not None:
            pending = None
        elif word.startswith("-") and word != "-":
            action = everything[known]._option_string_actions.get(word)
            pending = action if action is not None and action.nargs is None else None
        elif (*known, word) in everything:
            known, position = (*known, word), 0
        else:
            position += 1
    return everything[known], pending, position, known


def _matching(found: Sequence[str], current: str) -> list[str]:
    return [f for f in found if f.startswith(current) or f == FILES]


def _values(action: argparse.Action, path: tuple[str, ...], words: Sequence[str]) -> list[str]:
    """What an option or positional can be: its choices, or by its name, else files."""
    if action.choices is not None:
        return [str(c) for c in action.choices]
    known: dict[object, Callable[[], list[str]]] = {
        "recipe": lambda: [*_recipes(), FILES],
        "overrides": _settings,
        "condition": lambda: _conditions(words),
        "name": _recipes if path == ("recipes",) else _datasets,
        "dataset": _datasets,
        "humans": _datasets,
    }
    if action.dest in known:
        return known[action.dest]()
    return [] if action.metavar in ("N", "K") else [FILES]


def _recipes() -> list[str]:
    from affekt.cli.shipped import shipped

    return list(shipped())


def _datasets() -> list[str]:
    from affekt.data import list_datasets

    return list_datasets()


def _settings() -> list[str]:
    """``key=`` for every recipe key, and ``key=value`` for those with choices."""
    from affekt.cli.keys import recipe_keys

    return [text for key in recipe_keys() for text in [f"{key.name}=", *(f"{key.name}={c}" for c in key.choices)]]


def _conditions(words: Sequence[str]) -> list[str]:
    """The conditions of the recipe that the call names, and the presets."""
    from affekt.cli.shipped import find
    from affekt.errors import AffektError
    from affekt.recipe import load_recipe

    for word in words[1:]:
        if not word.startswith("-"):
            try:
                return [*load_recipe(find(word)).conditions, *_presets()]
            except AffektError:
                continue
    return _presets()


def _presets() -> list[str]:
    """The names of the presets, from their file alone: importing the room around it would take torch's two seconds."""
    return list(runpy.run_path(str(Path(__file__).parents[1] / "regulation" / "presets.py"))["PRESETS"])
