"""One process of a machine says what all of them find; what one alone finds is said by that one."""

import pytest

from affekt.cli import main, torchrun
from affekt.errors import DataError, UsageError


@pytest.fixture
def waited(monkeypatch):
    """How long the process waited for the first, seconds; it does not."""
    found = []
    monkeypatch.setattr(torchrun.time, "sleep", found.append)
    return found


def started(monkeypatch, world, local_rank):
    monkeypatch.setenv("WORLD_SIZE", str(world))
    monkeypatch.setenv("LOCAL_RANK", str(local_rank))


@pytest.mark.parametrize(("world", "local_rank"), [(1, 0), (2, 0), (1, 1)])
def test_the_first_of_a_machine_waits_for_nobody(monkeypatch, waited, world, local_rank):
    started(monkeypatch, world, local_rank)
    assert not torchrun.said_by_another(UsageError("wrong"))
    assert waited == []


def test_another_waits_for_what_all_find_and_says_it_where_the_first_did_not(monkeypatch, waited, capsys):
    started(monkeypatch, 2, 1)
    assert main(["train", "no-such-recipe"]) == 2
    assert waited == [torchrun.PATIENCE]
    assert capsys.readouterr().err.startswith("affekt: error: ")


def test_another_is_silent_where_all_have_left_together(monkeypatch, waited, capsys):
    from affekt.training import distributed

    started(monkeypatch, 2, 1)
    monkeypatch.setattr(distributed, "leave", lambda: True)
    assert main(["train", "no-such-recipe"]) == 2
    assert (waited, capsys.readouterr().err) == ([], "")


@pytest.mark.parametrize("error", [DataError("no file"), RuntimeError("a fault")])
def test_what_one_alone_may_find_is_said_at_once(monkeypatch, waited, error):
    started(monkeypatch, 2, 1)
    assert not torchrun.said_by_another(error)
    assert waited == []
