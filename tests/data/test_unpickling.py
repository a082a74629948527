"""CIFAR's pickles: the official form is read, anything else is refused before it runs."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from cifar_files import integer, official_pickle

from affekt.data.unpickling import read_batch
from affekt.errors import DataError

PIXELS = np.arange(2 * 3072, dtype=np.int64).reshape(2, 3072).astype(np.uint8)


def test_the_official_form_is_read() -> None:
    batch = read_batch(official_pickle(PIXELS, labels=[3, 9], filenames=["a.png", "b.png"]), "data_batch_1")
    assert batch["labels"] == [3, 9]
    assert batch["filenames"] == ["a.png", "b.png"]
    assert isinstance(batch["data"], np.ndarray)
    assert batch["data"].dtype == np.uint8
    np.testing.assert_array_equal(batch["data"], PIXELS)


def test_the_official_form_is_what_pickle_itself_reads() -> None:
    """The writer above is right: Python's own unpickler, which trusts it, reads the same."""
    found = pickle.loads(official_pickle(PIXELS, labels=[1, 2]), encoding="latin1")
    np.testing.assert_array_equal(found["data"], PIXELS)
    assert found["labels"] == [1, 2]


@pytest.mark.parametrize("protocol", [3, 4])
def test_a_batch_that_python_3_wrote_again_is_read(protocol: int) -> None:
    batch = read_batch(pickle.dumps({"data": PIXELS, "labels": [0, 1]}, protocol=protocol), "data_batch_1")
    np.testing.assert_array_equal(batch["data"], PIXELS)  # type: ignore[arg-type]
    assert batch["labels"] == [0, 1]


class Hostile:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_of_a_hostile_pickle_runs(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    for function, *arguments in (
        (os.system, f"touch {trace}"),
        (os.mkdir, str(trace)),
        (eval, f"open({str(trace)!r}, 'w')"),
        (np.save, str(trace), np.zeros(1)),
    ):
        data = pickle.dumps({"data": Hostile(function, *arguments), "labels": [1]}, protocol=protocol)
        with pytest.raises(DataError) as caught:
            read_batch(data, "data_batch_1")
        message = str(caught.value)
        assert message.startswith("data_batch_1: not read: its pickle asks for ")
        assert "nothing of it has run" in message
        assert "\n" not in message
        assert not trace.exists()
        assert not trace.with_suffix(".npy").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02cbuiltins\nexec\nU\x04passR\x85.",
        b"\x80\x02c__builtin__\neval\nU\x011\x85R.",
        b"\x80\x02cnumpy\nload\nU\x01x\x85R.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"(S'true'\nios\nsystem\n.",
        b"\x80\x02cnumpy.core.multiarray\nscalar\n.",
        b"Psome-id\n.",
    ],
)
def test_every_way_to_name_a_function_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="nothing of it has run"):
        read_batch(data, "data_batch_1")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([{}, 1], dtype=object), "another kind than whole numbers"),
        (np.array([0.5, 1.5]), "another kind than whole numbers"),
        (np.asfortranarray(PIXELS), "another kind than whole numbers in C order"),
        (np.array([1, 2], dtype=">i8"), "an array of byte order '>'"),
    ],
)
def test_arrays_that_no_batch_contains_are_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_batch(pickle.dumps({"data": values}, protocol=3), "data_batch_1")


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"<html>", official_pickle(PIXELS, labels=[1, 2])[:4000], b"\x80\x02K\x01."]
)
def test_a_damaged_batch_is_named(data: bytes) -> None:
    with pytest.raises(DataError, match=r"^test_batch: "):
        read_batch(data, "test_batch")


def test_pixels_that_do_not_fill_their_shape_are_refused() -> None:
    data = official_pickle(PIXELS, labels=[1]).replace(
        b"K\x02" + integer(3072) + b"\x86", b"K\x03" + integer(3072) + b"\x86"
    )
    with pytest.raises(DataError, match="damaged"):
        read_batch(data, "test_batch")
