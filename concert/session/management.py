"""Sessions as files: where they live, what they may be called, and how they are made, moved and removed.

Each is a Python file in :func:`directory`. A change is either made or not made, even if the power fails, and changes by
several processes follow one another, so that none undoes what another one did.
"""

from __future__ import annotations

import fcntl
import keyword
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

SUFFIX = ".py"

# A session that has the name of a module of Python's would hide it from everybody. But nobody imports Python's own
# tests, and many a first session is called test.
_TAKEN = (sys.stdlib_module_names | {"concert"}) - {"test"}

_TEMPLATE = '''\
"""{title}

This text is shown when the session starts.
"""

from concert.session.prelude import *  # q, ddoc, dstate, the scans, async_ and more
{imports}
# from concert.devices.motors.dummy import LinearMotor
# stage = LinearMotor()
# stage["position"].lower, stage["position"].upper = 0 * q.mm, 40 * q.mm
'''


class SessionError(Exception):
    """Raised when a session cannot be loaded or changed, or does not have what is asked of it."""


class NotASessionError(SessionError, ValueError):
    """Raised for a name that no session can have, and for a file that is no session."""


# -- where and what -------------------------------------------------------------------------------------------------


def places() -> list[Path]:
    """Return the directories in which sessions may live, each once; the first one is where they do."""
    environment = os.environ.get("VIRTUAL_ENV")
    candidates = [
        *([Path(environment, "share", "concert")] if environment else []),
        platformdirs.user_data_path("concert"),
        Path.home() / ".local" / "share" / "concert",
    ]
    return list(dict.fromkeys(candidates))


def directory() -> Path:
    """Return the directory of the sessions: of the virtual environment, else of the user. It need not exist yet."""
    return places()[0]


def check_name(name: str) -> str:
    """Return *name* if a session can have it, else raise :exc:`NotASessionError`."""
    objection = _objection(name)
    if objection is not None:
        raise NotASessionError(f"{name!r} cannot be the name of a session: {objection}")
    return name


def is_name(name: str) -> bool:
    """Tell whether a session can have the *name*."""
    return _objection(name) is None


def _objection(name: str) -> str | None:
    if not name.isidentifier():
        return "expected letters, digits and _, and no digit in front, such as imaging_2"
    if keyword.iskeyword(name):
        return "it is a word of the Python language"
    if name in _TAKEN:
        return "it is the name of a Python module"
    return None


def name_of(file: str | Path) -> str:
    """Return the name of the session that is in *file*, or raise :exc:`NotASessionError`."""
    file = Path(file)
    if file.suffix != SUFFIX:
        raise NotASessionError(f"expected a session file with a name such as imaging.py, not {file.name or str(file)}")
    return check_name(file.stem)


def path_of(name: str) -> Path:
    """Return the path of the session's file, which need not exist; raise :exc:`NotASessionError`."""
    return directory() / f"{check_name(name)}{SUFFIX}"


def names(where: Path | None = None) -> list[str]:
    """Return the names of the sessions there are, sorted; *where* is another directory to look in."""
    where = directory() if where is None else where
    with explained("read", where):
        return sorted(file.stem for file in where.glob(f"*{SUFFIX}") if is_name(file.stem) and file.is_file())


def exists(name: str) -> bool:
    """Tell whether there is a session *name*; raise :exc:`NotASessionError`."""
    return path_of(name).is_file()


def existing(name: str) -> Path:
    """Return the path of the session's file; raise :exc:`SessionError` if there is none."""
    path = path_of(name)
    if not path.is_file():
        there_are = f"there are {', '.join(names())}" if names() else "there are none"
        raise SessionError(f"there is no session {name} in {path.parent}; {there_are}")
    return path


def find(name_or_file: str) -> Path:
    """Return the file of the session called *name_or_file*, or that file; raise :exc:`SessionError`.

    A name alone is a session's; with a suffix or a slash it is a file anywhere.
    """
    file = Path(name_or_file)
    if file.name == name_or_file and not file.suffix:
        return existing(name_or_file)
    name_of(file)
    if not file.is_file():
        raise SessionError(f"there is no session file {name_or_file}")
    return file


# -- changing -------------------------------------------------------------------------------------------------------


def template(name: str, imports: Iterable[str] = ()) -> str:
    """Return the text of a new session, which imports the modules *imports*; raise :exc:`NotASessionError`."""
    statements = "".join(f"import {_module(each)}\n" for each in imports)
    return _TEMPLATE.format(title=f"Session {name}.", imports=statements)


def _module(name: str) -> str:
    # Not async: it is a keyword, but concert.async can be imported by sessions.
    if not all(part.isidentifier() and (part == "async" or not keyword.iskeyword(part)) for part in name.split(".")):
        raise NotASessionError(f"expected a module to import, such as numpy or scipy.ndimage, not {name!r}")
    return name


def create(name: str, imports: Iterable[str] = (), force: bool = False) -> Path:
    """Make a new session and return its file; with *force* it may replace another one.

    Raise :exc:`SessionError` if there is one of that name, and :exc:`NotASessionError`.
    """
    check_name(name)
    add({name: template(name, imports).encode()}, force)
    return path_of(name)


def add(sessions: Mapping[str, bytes], force: bool = False) -> None:
    """Store several sessions, the contents of files by name: all of them, or none if one is refused.

    Raise :exc:`SessionError` if some exist already, unless *force* is true, and :exc:`NotASessionError`.
    """
    files = {path_of(name): content for name, content in sessions.items()}
    with _changing():
        if not force:
            _refuse_existing(files)
        for path, content in files.items():
            write(path, content)


def copy(name: str, new: str) -> None:
    """Copy the session *name* to the session *new*; raise :exc:`SessionError` if there is one, or nothing to copy."""
    target = path_of(new)
    with _changing():
        source = existing(name)
        _refuse_existing([target])
        write(target, source.read_bytes())


def move(name: str, new: str) -> None:
    """Rename the session *name* to *new*; raise :exc:`SessionError` if there is one, or nothing to rename."""
    target = path_of(new)
    with _changing():
        source = existing(name)
        _refuse_existing([target])
        os.rename(source, target)


def remove(*names: str) -> None:
    """Remove sessions: all of them, or none, with :exc:`SessionError`, if one does not exist."""
    for name in names:
        check_name(name)
    with _changing():
        for path in {existing(name) for name in names}:
            path.unlink()


def write(path: Path, content: bytes) -> None:
    """Replace the file *path* by one with *content*: whoever looks sees the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explained("write", path):
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _refuse_existing(paths: Iterable[Path]) -> None:
    found = [path.stem for path in paths if path.exists()]
    if found:
        exist = "exists" if len(found) == 1 else "exist"
        raise SessionError(f"{', '.join(found)} {exist} already in {directory()}")


@contextmanager
def _changing() -> Iterator[None]:
    """Let nobody else change sessions during the block; make their directory."""
    where = directory()
    with explained("change the sessions in", where):
        where.mkdir(parents=True, exist_ok=True)
        # A file of its own: on network file systems a directory cannot be locked. The lock ends with the process.
        with open(where / ".lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Raise what the system says against doing *action* with *path* as :exc:`SessionError`."""
    try:
        yield
    except OSError as error:
        raise SessionError(f"cannot {action} {path}: {error.strerror or error}") from error
