"""Small copies of CIFAR in its published forms, written the way Python 2's cPickle and the C program wrote them."""

import io
import struct
import tarfile
from pathlib import Path

import numpy as np

SPLITS_10 = {**{f"data_batch_{n}": "train" for n in range(1, 6)}, "test_batch": "test"}


def string(text: bytes) -> bytes:
    """Python 2's str: SHORT_BINSTRING or BINSTRING."""
    return b"U" + bytes([len(text)]) + text if len(text) < 256 else b"T" + struct.pack("<i", len(text)) + text


def integer(n: int) -> bytes:
    return b"K" + bytes([n]) if n < 256 else b"J" + struct.pack("<i", n)


def official_pickle(pixels: np.ndarray, **lists: list) -> bytes:
    """A batch opcode by opcode: protocol 2, byte strings, NumPy's old module name."""
    rows, columns = pixels.shape
    unknown = b"J\xff\xff\xff\xff"
    dtype = (
        b"cnumpy\ndtype\n" + string(b"u1") + b"K\x00K\x01\x87R(K\x03" + string(b"|") + b"NNN" + unknown * 2 + b"K\x00tb"
    )
    array = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\nK\x00\x85" + string(b"b") + b"\x87R"
    state = b"(K\x01" + integer(rows) + integer(columns) + b"\x86" + dtype + b"\x89" + string(pixels.tobytes()) + b"tb"
    out = b"\x80\x02}(" + string(b"data") + array + state
    for name, values in lists.items():
        items = b"".join(integer(v) if isinstance(v, int) else string(v.encode()) for v in values)
        out += string(name.encode()) + b"](" + items + b"e"
    return out + b"u."


def batch(name: str, n: int, classes: int) -> tuple[np.ndarray, list[int]]:
    """``(n, 3072)`` pixels and n labels of a batch, always the same for its name."""
    random = np.random.default_rng(sum(name.encode()))
    return random.integers(0, 256, (n, 3072), dtype=np.uint8), random.integers(0, classes, n).tolist()


def write_cifar(root: Path, form: str, n: int = 3) -> Path:
    """A folder as unpacked from one of the four archives."""
    hundred, binary = "100" in form, form.endswith(("bin", "binary"))
    names = {"train": "train", "test": "test"} if hundred else SPLITS_10
    folder = root / form
    folder.mkdir(parents=True)
    for name in names:
        pixels, labels = batch(name, n, 100 if hundred else 10)
        coarse = [label % 20 for label in labels]
        if binary:
            columns = [coarse, labels] if hundred else [labels]
            records = np.hstack([*(np.array(c, np.uint8)[:, None] for c in columns), pixels])
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            lists = {"fine_labels": labels, "coarse_labels": coarse} if hundred else {"labels": labels}
            (folder / name).write_bytes(official_pickle(pixels, **lists, filenames=[f"{i}.png" for i in range(n)]))
    return folder


def pack(folder: Path, archive: Path) -> Path:
    """The folder as a .tar.gz, as its authors pack it; the folder is removed."""
    with tarfile.open(archive, "w:gz") as out:
        for path in sorted(folder.iterdir()):
            info = tarfile.TarInfo(f"{folder.name}/{path.name}")
            info.size = path.stat().st_size
            out.addfile(info, io.BytesIO(path.read_bytes()))
            path.unlink()
    folder.rmdir()
    return archive
