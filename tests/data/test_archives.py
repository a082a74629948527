"""Archives unpacked safely: hostile ones are refused and nothing is written outside, honest ones arrive whole."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from affekt.data.archives import Limits, contents, names, unpack
from affekt.errors import DataError

CONTENT = {"set/a.txt": b"one", "set/deep/b.bin": bytes(range(256)) * 10, "readme": b""}


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return path


def member(name: str, data: bytes = b"x", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


def zipped(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with something worth protecting beside the destination."""
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "secret").write_text("untouched")
    return tmp_path / "house"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "packs").mkdir()
    return tmp_path / "packs"


def refused(archive: Path, house: Path, *words: str, **options: Limits) -> None:
    """Unpacking says ``words`` in one line and leaves the house as it was."""
    before = tree(house.parent)
    with pytest.raises(DataError) as caught:
        unpack(archive, house / "data", **options)
    message = str(caught.value)
    assert archive.name in message
    assert "\n" not in message
    for word in words:
        assert word in message
    assert tree(house.parent) == before
    assert not (house / "data").exists()


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_an_honest_archive_arrives_whole(pack: Path, house: Path, kind: str) -> None:
    archive = pack / f"set.{kind}"
    if kind == "zip":
        zipped(archive, **CONTENT)
    else:
        tar(archive, *(member(n, d) for n, d in CONTENT.items()), mode=f"w:{kind.removeprefix('tar').lstrip('.')}")
    written: list[int] = []
    tops = unpack(archive, house / "data", progress=written.append)
    assert tree(house / "data") == CONTENT
    assert tops == (house / "data" / "readme", house / "data" / "set")
    assert sum(written) == sum(map(len, CONTENT.values()))
    assert names(archive) == tuple(CONTENT)
    assert contents(archive, ["set/a.txt", "absent"]) == {"set/a.txt": b"one"}


def test_a_single_gzipped_file_loses_its_ending(pack: Path, house: Path) -> None:
    archive = pack / "train-images-idx3-ubyte.gz"
    archive.write_bytes(gzip.compress(b"pixels" * 1000))
    unpack(archive, house / "data")
    assert tree(house / "data") == {"train-images-idx3-ubyte": b"pixels" * 1000}


@pytest.mark.parametrize(
    "name",
    ["../secret", "a/../../secret", "{house}/secret", "..\\secret", "C:\\secret", "\\\\server\\secret", "a/.."],
)
@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_entry_outside_the_folder_is_refused(pack: Path, house: Path, kind: str, name: str) -> None:
    archive, name = pack / f"evil.{kind}", name.format(house=house)
    if kind == "zip":
        zipped(archive, **{"fine.txt": b"fine", name: b"overwritten"})
    else:
        tar(archive, member("fine.txt"), member(name, b"overwritten"))
    refused(archive, house, "outside its folder")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(pack: Path, house: Path, kind: bytes) -> None:
    archive = tar(
        pack / "evil.tar.gz",
        member("door", b"", type=kind, linkname="../secret", devmajor=1, devminor=3),
        member("door/x", b"through the door"),
    )
    refused(archive, house, "door", "link or a device")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(pack: Path, house: Path, mode: int) -> None:
    info = zipfile.ZipInfo("door")
    info.external_attr = (mode | 0o777) << 16
    archive = pack / "evil.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(info, "../secret")
    refused(archive, house, "door", "link or a device")


@pytest.mark.parametrize("kind", ["tar.gz", "zip", "gz"])
def test_a_bomb_is_refused_before_it_fills_the_disk(pack: Path, house: Path, kind: str) -> None:
    archive, zeros = pack / f"bomb.{kind}", bytes(8 * 2**20)
    if kind == "zip":
        zipped(archive, zeros=zeros)
    elif kind == "gz":
        archive.write_bytes(gzip.compress(zeros))
    else:
        tar(archive, member("zeros", zeros))
    written: list[int] = []
    with pytest.raises(DataError, match="decompression bomb"):
        unpack(archive, house / "data", limits=Limits(ratio=20, free=2**20), progress=written.append)
    assert sum(written) <= 2**20
    refused(archive, house, "bomb", limits=Limits(ratio=20, free=2**20))
    refused(archive, house, "bomb", limits=Limits(size=2**20))
    unpack(archive, house / "data", limits=Limits(ratio=20, free=2**24))


def test_a_bomb_that_is_read_without_unpacking_is_refused(pack: Path) -> None:
    archive = tar(pack / "bomb.tar.gz", member("zeros", bytes(8 * 2**20)))
    with pytest.raises(DataError, match="decompression bomb"):
        contents(archive, ["zeros"], limits=Limits(ratio=20, free=2**20))
    assert contents(archive, ["zeros"]) == {"zeros": bytes(8 * 2**20)}


def test_a_large_allowance_is_not_taken_as_memory(pack: Path) -> None:
    """An archive of 160 MB may unpack to 32 GB, which nobody allocates to read a small file."""
    archive = tar(pack / "set.tar.gz", member("a", b"x" * 10))
    assert contents(archive, ["a"], limits=Limits(free=2**50, size=2**50)) == {"a": b"x" * 10}


def test_a_bomb_in_a_tar_header_is_refused(pack: Path, house: Path) -> None:
    """A pax header of 64 MiB would be read into memory in one piece before any entry is seen."""
    info, data = member("pax", bytes(64 * 2**20), type=tarfile.XHDTYPE)
    archive = tar(pack / "bomb.tar.gz", (info, data))
    refused(archive, house, "bomb")


def test_too_many_entries_are_refused(pack: Path, house: Path) -> None:
    archive = tar(pack / "many.tar.gz", *(member(f"f{n}", b"") for n in range(30)))
    refused(archive, house, "more than 20 entries", limits=Limits(files=20))
    unpack(archive, house / "data", limits=Limits(files=30))


def test_a_sparse_file_is_refused(pack: Path, house: Path) -> None:
    archive = tar(pack / "sparse.tar", member("hole", bytes(512), type=tarfile.GNUTYPE_SPARSE), mode="w:")
    refused(archive, house)


def test_a_name_that_stands_in_the_archive_twice_is_refused(pack: Path, house: Path) -> None:
    refused(tar(pack / "twice.tar.gz", member("a", b"1"), member("a", b"2")), house, '"a" stands in it twice')
    refused(tar(pack / "file-folder.tar.gz", member("a", b"1"), member("a/b", b"2")), house, "twice")


def test_an_encrypted_zip_is_refused(pack: Path, house: Path) -> None:
    archive = zipped(pack / "locked.zip", a=b"x")
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    archive.write_bytes(data)
    refused(archive, house, "encrypted")


@pytest.mark.parametrize("kind", ["tar.gz", "zip", "gz"])
def test_a_truncated_archive_is_named_and_leaves_nothing(pack: Path, house: Path, kind: str) -> None:
    archive, noise = pack / f"short.{kind}", os.urandom(100_000)
    if kind == "zip":
        zipped(archive, noise=noise)
    elif kind == "gz":
        archive.write_bytes(gzip.compress(noise))
    else:
        tar(archive, member("noise", noise))
    archive.write_bytes(archive.read_bytes()[:60_000])
    refused(archive, house, "damaged or truncated")


def test_a_flipped_byte_is_found(pack: Path, house: Path) -> None:
    archive = zipped(pack / "flipped.zip", noise=os.urandom(10_000))
    data = bytearray(archive.read_bytes())
    data[5000] ^= 1
    archive.write_bytes(data)
    refused(archive, house, "damaged")


def test_what_is_no_archive_is_refused(pack: Path, house: Path) -> None:
    page = pack / "page.zip"
    page.write_text("<html>Please log in</html>" * 100)
    refused(page, house, "not an archive")
    refused(tar(pack / "empty.tar.gz"), house)


def test_nothing_that_is_there_is_overwritten(pack: Path, house: Path) -> None:
    archive = tar(pack / "set.tar.gz", member("other"), member("set/a.txt", b"from the archive"))
    (house / "data" / "set").mkdir(parents=True)
    (house / "data" / "set" / "a.txt").write_text("mine")
    with pytest.raises(DataError, match="exists; move it away"):
        unpack(archive, house / "data")
    assert tree(house / "data") == {"set/a.txt": b"mine"}


def test_a_folder_that_cannot_be_written_is_said_in_one_line(pack: Path) -> None:
    archive = tar(pack / "set.tar.gz", member("a"))
    with pytest.raises(DataError, match=r"unpacking set.tar.gz failed"):
        unpack(archive, Path("/proc/affekt/data"))


def test_a_disk_that_fills_up_leaves_nothing(pack: Path, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full stands for the disk: every write to it fails with ENOSPC."""
    archive = tar(pack / "set.tar.gz", member("a", b"1" * 100_000))
    plain = Path.open
    monkeypatch.setattr(
        Path, "open", lambda p, mode="r", *a: plain(Path("/dev/full"), "wb") if mode == "xb" else plain(p, mode)
    )
    refused_message = "the disk is full"
    with pytest.raises(DataError, match=refused_message):
        unpack(archive, house / "data")
    assert not (house / "data").exists()
