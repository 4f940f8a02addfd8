"""Sessions from elsewhere and for elsewhere: files, web addresses, zip archives and git repositories.

What comes in is only read here: a dictionary of names and contents, for :func:`.management.add` to store. So nothing
that is imported can choose where it goes, and what is no session is refused before anything is written.
"""

from __future__ import annotations

import io
import os
import ssl
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from importlib.util import decode_source
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from concert.session.management import (
    SUFFIX,
    NotASessionError,
    SessionError,
    directory,
    explained,
    is_name,
    name_of,
    names,
    path_of,
    write,
)
from concert.session.spelling import compile_session

LARGEST = 10 * 2**20  # bytes of a session or of an archive, packed or not: a wrong address shall not fill the disk
PATIENCE = 30.0  # seconds without a byte from a server

# Python files of archives and repositories that are named like sessions and are none.
NOT_SESSIONS = {"setup.py", "conftest.py"}

# Git can also be told to run any command as a transport.
_GIT_ENVIRONMENT = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}


# -- reading --------------------------------------------------------------------------------------------------------


def read(source: str) -> dict[str, bytes]:
    """Return the session in *source*, or all of them if it is a zip archive: a file, or an address on the web.

    Raise :exc:`SessionError` if it cannot be read, and :exc:`NotASessionError` if it is something else.
    """
    on_web = "://" in source
    file = PurePosixPath(unquote(urlsplit(source).path)).name if on_web else Path(source).name
    if not file.endswith(".zip"):
        name_of(file)
    content = _download(source) if on_web else _read(Path(source))
    return _unpacked(file, content) if file.endswith(".zip") else {name_of(file): _checked(file, content)}


def read_repository(url: str) -> dict[str, bytes]:
    """Return the sessions at the top of the git repository *url*, which may be a directory of this machine.

    Raise :exc:`SessionError` if it cannot be cloned or has none, and :exc:`NotASessionError` if one is not Python.
    """
    with tempfile.TemporaryDirectory(prefix="concert-") as temporary:
        clone = Path(temporary, "clone")
        _clone(url, clone)
        # A link could lead to any file of this machine.
        files = [each for each in sorted(clone.iterdir()) if each.is_file() and not each.is_symlink()]
        sessions = {each.stem: _checked(each.name, _read(each)) for each in files if _may_be_session(each.name)}
    if not sessions:
        raise SessionError(f"there is no session in {url}")
    return sessions


def merged(sources: Iterable[Mapping[str, bytes]]) -> dict[str, bytes]:
    """Return the sessions of several sources together; raise :exc:`SessionError` if two have the same name."""
    together: dict[str, bytes] = {}
    for sessions in sources:
        for name in sorted(together.keys() & sessions.keys()):
            raise SessionError(f"two of the sources have a session {name}")
        together.update(sessions)
    return together


def _may_be_session(file: str) -> bool:
    stem, suffix = os.path.splitext(file)
    return suffix == SUFFIX and is_name(stem) and file not in NOT_SESSIONS


def _checked(file: str, content: bytes) -> bytes:
    """Return *content* if it is Python; a page that asks for a password, for example, is not."""
    try:
        compile_session(decode_source(content), file)
    except SyntaxError as error:
        where = "" if error.lineno is None else f"line {error.lineno}: "
        raise NotASessionError(f"{file} is not a session: {where}{error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:  # of the decoder, or of a parser that was overtaxed
        raise NotASessionError(f"{file} is not a session: {str(error) or type(error).__name__}") from error
    return content


def _read(file: Path) -> bytes:
    with explained("read", file), open(file, "rb") as stream:
        return _limited(stream, str(file))


def _limited(stream: Any, source: str) -> bytes:
    content = stream.read(LARGEST + 1)
    _refuse_large(len(content), source)
    return content


def _refuse_large(size: int, source: str) -> None:
    if size > LARGEST:
        raise NotASessionError(f"{source} is not a session: it is larger than {LARGEST // 2**20} MB")


# -- zip archives ---------------------------------------------------------------------------------------------------


def export(file: str | Path) -> Path:
    """Write all sessions to a zip archive and return its path: *file*, with ``.zip`` added where it is missing.

    Raise :exc:`SessionError` if there are none, or it cannot be written.
    """
    target = Path(file)
    if target.suffix != ".zip":
        target = target.with_name(f"{target.name}.zip")
    sessions = names()
    if not sessions:
        raise SessionError(f"there are no sessions in {directory()}")
    packed = io.BytesIO()
    with explained("read the sessions in", directory()), zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sessions:
            archive.write(path_of(name), f"{name}{SUFFIX}")
    write(target, packed.getvalue())
    return target


def _unpacked(file: str, content: bytes) -> dict[str, bytes]:
    """Return the sessions at the top of the archive; one that would write elsewhere is refused as a whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            for member in members:
                _refuse_escape(file, member.filename)
            members = [each for each in members if _may_be_session(each.filename)]
            _refuse_large(sum(each.file_size for each in members), file)
            sessions = {name_of(each.filename): _checked(each.filename, archive.read(each)) for each in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SessionError(f"cannot unpack {file}: {error}") from error
    if not sessions:
        raise SessionError(f"there is no session in {file}")
    return sessions


def _refuse_escape(file: str, member: str) -> None:
    path = PurePosixPath(member.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise NotASessionError(f"{file} is refused: its file {member} would be written outside the session directory")


# -- the web and git ------------------------------------------------------------------------------------------------


class _StaysEncrypted(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            fp.close()
            raise SessionError(f"cannot fetch {req.full_url}: it leads to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str) -> bytes:
    if urlsplit(url).scheme not in ("http", "https"):
        raise NotASessionError(f"expected an address that begins with https:// or http://, not {url}")
    opener = build_opener(HTTPSHandler(context=ssl.create_default_context()), _StaysEncrypted())
    try:
        with opener.open(url, timeout=PATIENCE) as response:
            return _limited(response, url)
    except (OSError, HTTPException, UnicodeError) as error:
        if isinstance(error, HTTPError):
            error.close()
        raise SessionError(f"cannot fetch {url}: {getattr(error, 'reason', error)}") from error


def _clone(url: str, target: Path) -> None:
    command = ["git", "clone", "--quiet", "--depth", "1", "--", url, str(target)]
    try:
        git = subprocess.run(
            command, env=os.environ | _GIT_ENVIRONMENT, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
    except FileNotFoundError as error:
        raise SessionError("git is not installed") from error
    if git.returncode:
        said = git.stderr.strip().splitlines() or [f"git ended with status {git.returncode}"]
        raise SessionError(f"cannot clone {url}: {said[-1]}")
