"""Progress: a bar on a terminal, lines elsewhere, nothing unless asked."""

import io

from rich.console import Console

from affekt.training.progress import LineProgress, NoProgress, RichProgress, create_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(progress):
    progress.start(100, 40)
    progress.describe("epoch 1 of 2")
    for _ in range(4):
        progress.advance(5)
    progress.say("epoch 1 of 2: [validation] accuracy 0.5")
    progress.stop()


def test_bar_shows_items_a_second_and_the_time_left():
    stream = Terminal()
    shown(RichProgress(Console(file=stream, force_terminal=True, width=100)))
    text = stream.getvalue()
    assert "epoch 1 of 2" in text
    assert "[validation] accuracy 0.5" in text
    assert "items/s" in text
    assert "60%" in text


def test_lines_only():
    stream = io.StringIO()
    shown(LineProgress(stream))
    assert stream.getvalue() == "epoch 1 of 2: [validation] accuracy 0.5\n"


def test_the_right_one_is_chosen(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", Terminal())
    assert isinstance(create_progress(), RichProgress)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(create_progress(), LineProgress)
    shown(NoProgress())
    assert capsys.readouterr() == ("", "")


def test_stopping_twice_is_harmless():
    progress = RichProgress(Console(file=io.StringIO(), force_terminal=True))
    progress.advance(3)
    progress.stop()
    shown(progress)
    progress.stop()
