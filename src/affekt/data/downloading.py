"""Downloading one file: several addresses, resumed by HTTP Range where a transfer broke off, verified by SHA-256."""

from __future__ import annotations

import http.client
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from affekt.data.dataset import Source
from affekt.data.disk import sha256, told
from affekt.errors import DataError

Progress = Callable[[str, int, int], None]
"""Called with (file, bytes there, bytes in all)."""

_CHUNK = 2**18


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an address is waited for.

    Attributes:
        timeout: seconds without a byte after which a request is given up.
        pause: seconds before an address that brought nothing is tried again.
        attempts: requests in a row that bring nothing before the next address is tried.
        rate: bytes a second; an address that is slower over its first ``after`` seconds is put last.
        after: seconds.
    """

    timeout: float = 30.0
    pause: float = 1.0
    attempts: int = 2
    rate: float = 100_000.0
    after: float = 15.0


class UnreachableError(DataError):
    """No address delivered the file."""


class _AddressError(Exception):
    """One address did not deliver; the next may."""


class _FinalError(_AddressError):
    """An address would say the same if it were asked again."""


class _SlowError(_FinalError):
    """An address delivers so slowly that another one is worth a try."""


def matches(path: Path, source: Source) -> bool:
    """Whether a file has the size and the hash that its source states."""
    return path.stat().st_size == source.size and sha256(path) == source.sha256


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def download(
    item: Source, path: Path, *, progress: Progress | None = None, patience: Patience | None = None
) -> list[str]:
    """Get one file from the first address that delivers it; slow ones have their turn last.

    Returns:
        What the addresses that failed said.

    Raises:
        UnreachableError: no address delivers the file with the right hash.
        DataError: a full, read-only or forbidden disk.
    """
    progress, patience = progress or (lambda *_: None), patience or Patience()
    failures: list[str] = []
    turns = [(url, patience) for url in item.urls]
    with told(path, f"fetching {item.file}"):
        _check_space(item, path)
        while turns:
            url, wait = turns.pop(0)
            try:
                _from_address(item, url, path, progress, wait)
            except _AddressError as error:
                failures.append(f"{urlsplit(url).netloc}: {error}")
                turns += [(url, replace(patience, rate=0.0))] if isinstance(error, _SlowError) else []
            else:
                return failures
    raise UnreachableError(f"{item.file} could not be fetched ({'; '.join(failures)})")


def _check_space(item: Source, path: Path) -> None:
    wanted, free = item.size - _size(_part(path)), shutil.disk_usage(path.parent).free
    if free < wanted:
        raise DataError(f"{path.parent}: {item.file} needs {wanted:,} bytes more, {free:,} are free; free some space")


def _from_address(item: Source, url: str, path: Path, progress: Progress, patience: Patience) -> None:
    """Read from one address until the file is complete, going on where the transfer breaks, and verify it.

    Raises:
        _AddressError: it brings nothing more, other content, or too slowly.
    """
    part, idle = _part(path), 0
    inherited = part.exists()
    while (before := _size(part)) < item.size:
        problem = _attempt(item, url, part, progress, patience)
        idle = 0 if _size(part) > before else idle + 1
        if idle >= patience.attempts or isinstance(problem, _FinalError):
            raise problem or _AddressError("the transfer breaks off")
        if idle:
            time.sleep(patience.pause)
    if matches(part, item):
        part.replace(path)
        return
    part.unlink()
    if not inherited:
        raise _AddressError("other content than published (SHA-256)")
    _from_address(item, url, path, progress, patience)  # the part of an earlier call was wrong, not this address


def _attempt(item: Source, url: str, part: Path, progress: Progress, patience: Patience) -> _AddressError | None:
    """One request: append to ``part`` where the server can, begin again where it cannot; what went wrong."""
    start = _size(part)
    try:
        with _opened(url, start, patience.timeout) as response:
            goes_on = _goes_on(response, start, item.size)
            with part.open("ab" if goes_on else "wb") as file:
                _pour(_chunks(response), file, item, progress, patience)
    except _AddressError as error:
        return error
    return None


def _opened(url: str, start: int, timeout: float) -> http.client.HTTPResponse:
    if urlsplit(url).scheme not in ("http", "https"):
        raise _FinalError("not an http address")
    headers = {"User-Agent": "affekt", "Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={start}-"} if start else {}
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=timeout
        )
    except urllib.error.HTTPError as error:
        again = error.code >= 500 or error.code in (408, 429)
        raise (_AddressError if again else _FinalError)(f"HTTP {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise _AddressError(_reason(getattr(error, "reason", error))) from None
    return response


def _goes_on(response: http.client.HTTPResponse, start: int, size: int) -> bool:
    """Whether the response continues at ``start``; False: it begins at the beginning.

    Raises:
        _AddressError: it announces another length than the file has.
    """
    length, span = response.headers.get("Content-Length"), response.headers.get("Content-Range", "").strip()
    goes_on = response.status == 206 and span.startswith(f"bytes {start}-")
    announced = start + int(length) if goes_on and length else int(length or size)
    if response.status == 206 and not goes_on:
        raise _FinalError(f"sends {span or 'another part'} where byte {start} was asked for")
    if announced != size:
        raise _FinalError(f"a file of {announced:,} bytes instead of {size:,}")
    return goes_on


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What the network brings; a broken connection becomes an :class:`_AddressError`, apart from disk errors."""
    while True:
        try:
            chunk = response.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _AddressError(_reason(error)) from None
        if not chunk:
            return
        yield chunk


def _pour(chunks: Iterator[bytes], file: IO[bytes], item: Source, progress: Progress, patience: Patience) -> None:
    """Write what comes, no more than the file's size.

    Raises:
        _SlowError: slower than ``patience`` has it.
    """
    began, start = time.monotonic(), file.tell()
    done = start
    for chunk in chunks:
        file.write(chunk[: item.size - done])
        done = min(done + len(chunk), item.size)
        progress(item.file, done, item.size)
        seconds = time.monotonic() - began
        if done == item.size:
            return
        if seconds > patience.after and done - start < patience.rate * seconds:
            raise _SlowError(f"slow ({(done - start) / seconds / 1000:.1f} kB/s)")


def _reason(error: object) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:100]
