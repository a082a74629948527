"""Claims: which process works in a folder that machines share - an entry there that beats like a heart.

``claim/`` in the folder holds one empty file, whose name says whose it is and whose time of change is its last beat.
Every step is one rename, which one of several processes wins, also on NFS: a folder that is free is claimed by moving a
prepared ``claim/`` into its place, which works only while none with a file in it stands there; a claim whose heart
stopped is taken over by renaming its file, whose name never comes again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from affekt.errors import AffektError
from affekt.saving.whole import Busy

CLAIM = "claim"
"""Of a folder's claim; what is being prepared is called ``claim.<token>.tmp``."""

BEAT = 15.0
"""Seconds between beats."""

STALE = 120.0
"""Seconds without a beat after which a claim may be taken over: eight beats, and more than the minute for which an NFS
client may go on showing an old time of a file (``acregmax``), so that no living process is taken for a dead one."""

TRIES = 20
"""Times that a claim is tried while others come and go; each means that another got further meanwhile."""

_held: dict[Path, Path] = {}
"""Folders that this process has claimed -> the files of its claims."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose a claim is; all of it stands in the name of the claim's file, so that it is there at once.

    Attributes:
        host: name of the machine.
        pid: of the process.
        started: when it started, in the machine's own ticks; 0: not known. A number of a process comes again.
        system: what is the same for processes that can see each other: a boot, and a space of process numbers.
        token: of this claim alone.
    """

    host: str
    pid: int
    started: int
    system: str
    token: str

    @property
    def name(self) -> str:
        return f"{self.host}.{self.pid}.{self.started}.{self.system}.{self.token}"

    @classmethod
    def read(cls, name: str) -> Owner | None:
        """The owner of that name; None where it is no claim's."""
        host, *rest = name.rsplit(".", 4)
        if len(rest) != 4 or not (rest[0].isdecimal() and rest[1].isdecimal()):
            return None
        return cls(host=host, pid=int(rest[0]), started=int(rest[1]), system=rest[2], token=rest[3])

    @classmethod
    def here(cls) -> Owner:
        """This process, with a token of its own."""
        seen = _seen(os.getpid())
        return cls(
            host=socket.gethostname().replace("/", "-") or "unnamed",
            pid=os.getpid(),
            started=0 if seen is None else seen[1],
            system=_system(),
            token=uuid.uuid4().hex[:12],
        )

    @property
    def gone(self) -> bool:
        """Whether its process is known to have ended: that of a machine other than this is not known."""
        if self.system != _system() or os.name != "posix":
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:  # it is another's, and there
            pass
        seen = _seen(self.pid)
        return seen is not None and (seen[0] in "ZX" or (self.started != 0 and seen[1] != self.started))


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """A block in which no other process, of this or another machine that shares the folder, works in it.

    A claim of a process of this machine that has ended is taken over at once; of another machine when its heart has
    stopped for :data:`STALE` seconds, by the clock of the file system. A folder that was made for the claim alone goes
    with it.

    Raises:
        Busy: another process is at work here.
        AffektError: the folder cannot be written.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        file = _take(folder)
    except OSError as error:
        raise AffektError(f"cannot write {folder}: {error.strerror}") from None
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(file, stop), daemon=True)
    heart.start()
    place = folder.resolve()
    _held[place] = file
    try:
        yield
    finally:
        del _held[place]
        stop.set()
        heart.join()
        _give_back(file, made)


def refuse_if_taken(path: Path) -> None:
    """To be called before what matters is written to ``path``; nothing happens where this process claimed no folder
    around it.

    Raises:
        Busy: this process gave no sign for so long (it was stopped, or cut off) that another went on with its work.
    """
    place = path.resolve()
    for folder, file in list(_held.items()):
        if place.is_relative_to(folder) and file.name not in (names := _names(file.parent)):
            others = [f" by {_words(owner)}" for owner in map(Owner.read, names) if owner]
            raise Busy(
                f"{folder}: taken over{''.join(others)}, since this process gave no sign for {STALE:g} s; the same "
                "command goes on when that is done"
            )


def at_work(folder: Path) -> bool:
    """Whether a process that lives, as far as can be known, has claimed a folder."""
    names = _names(folder / CLAIM)
    try:
        return bool(names) and any(not _over(folder / CLAIM / name, _clock(folder)) for name in names)
    except OSError:  # it was given back meanwhile, or what is wrong is said by who works there
        return False


def _take(folder: Path) -> Path:
    """The file of a claim that is this process's now.

    Raises:
        Busy, OSError.
    """
    owner = Owner.here()
    claim, prepared = folder / CLAIM, folder / f"{CLAIM}.{owner.token}.tmp"
    mine = claim / owner.name
    try:
        for _ in range(TRIES):
            if _published(prepared, mine) or _inherited(folder, mine):
                return mine
    finally:
        shutil.rmtree(prepared, ignore_errors=True)
    raise _busy(folder, None)


def _published(prepared: Path, mine: Path) -> bool:
    """Whether a folder that nobody works in could be claimed."""
    try:
        prepared.mkdir(parents=True, exist_ok=True)
        (prepared / mine.name).touch()
        prepared.rename(mine.parent)
    except OSError as error:
        # Not found: who leaves the folder removes it where it is empty.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise
        # A file system over a network may ask twice, and then hears that it is done already.
        return mine.exists()
    return True


def _inherited(folder: Path, mine: Path) -> bool:
    """Whether a claim whose heart stopped could be taken over.

    Raises:
        Busy: it beats.
    """
    for name in _names(mine.parent):
        found = mine.parent / name
        try:
            if not _over(found, _clock(folder)):
                raise _busy(folder, Owner.read(name))
            os.utime(found)  # a rename keeps the time, by which the next to come would find it stopped again
            found.rename(mine)
        except FileNotFoundError:  # another was faster; or this one, whose answer was lost
            return mine.exists()
        return True
    return False


def _over(file: Path, now: float) -> bool:
    owner = Owner.read(file.name)
    return (owner is not None and owner.gone) or now - file.stat().st_mtime > STALE


def _clock(folder: Path) -> float:
    """The file system's time, by a file that is written now: clocks of machines differ."""
    probe = folder / f"{CLAIM}.{uuid.uuid4().hex[:12]}.tmp"
    try:
        probe.touch()
        os.utime(probe)
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _beat(file: Path, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        with suppress(OSError):  # taken over, which refuse_if_taken finds; or cut off, and the next may be heard
            os.utime(file)


def _give_back(file: Path, made: list[Path]) -> None:
    """Remove a claim, unless it is another's by now, and the folders that were made for it where they are empty."""
    with suppress(OSError):
        file.unlink(missing_ok=True)
        for path in (file.parent, *made):
            path.rmdir()


def _names(claim: Path) -> list[str]:
    """Of the files of a claim: one, or none. Listed, not asked for by name: NFS shows listings afresh."""
    try:
        return sorted(path.name for path in claim.iterdir())
    except FileNotFoundError:
        return []


def _busy(folder: Path, owner: Owner | None) -> Busy:
    who = "" if owner is None else f" ({_words(owner)})"
    return Busy(f"{folder}: another affekt is at work in this folder{who}; wait for it, or give another with --out")


def _words(owner: Owner) -> str:
    return f"process {owner.pid} on {owner.host}"


def _seen(pid: int) -> tuple[str, int] | None:
    """State and start of a process, by Linux's account; None where there is none, or one of other numbers."""
    try:
        if str(Path("/proc/self").readlink()) != str(os.getpid()):
            return None
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


@cache
def _system() -> str:
    """Eight digits that processes share which can see each other. Containers may have one name and other numbers."""
    said = [socket.gethostname(), str(uuid.getnode())]
    with suppress(OSError):
        said = [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(Path("/proc/self/ns/pid").readlink())]
    return hashlib.sha256(" ".join(said).encode()).hexdigest()[:8]
