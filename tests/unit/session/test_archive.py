"""Sessions from elsewhere: what is read, and what is refused before anything is written."""

import io
import os
import ssl
import subprocess
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from concert.session import archive, management
from concert.session.management import NotASessionError, SessionError

IMAGING = b"from concert.async import async\nx = 1\n"


@pytest.fixture
def pack(tmp_path):
    """Return a function that makes a zip archive of names and contents and returns its path."""

    def make(**members):
        path = tmp_path / "sessions.zip"
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in members.items():
                packed.writestr(name.replace("_py", ".py"), content)
        return str(path)

    return make


class Server(BaseHTTPRequestHandler):
    """Serves the pages that it was given; a page that is text leads elsewhere."""

    def do_GET(self):
        page = self.server.pages.get(self.path)
        self.send_response(404 if page is None else 200 if isinstance(page, bytes) else 302)
        if isinstance(page, str):
            self.send_header("Location", page)
        self.end_headers()
        if isinstance(page, bytes):
            self.wfile.write(page)

    def log_message(self, *_args):
        pass


@contextmanager
def serving(pages, context=None):
    """Serve *pages*, encrypted with a TLS *context*; give the address."""
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        server.pages = pages
        server.handle_error = lambda *_args: None  # a client that hangs up is not worth a traceback
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{'http' if context is None else 'https'}://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# -- files ----------------------------------------------------------------------------------------------------------


def test_a_file_is_read(tmp_path):
    (tmp_path / "imaging.py").write_bytes(IMAGING)
    assert archive.read(str(tmp_path / "imaging.py")) == {"imaging": IMAGING}


def test_a_file_that_is_not_there_is_explained(tmp_path):
    with pytest.raises(SessionError, match=r"cannot read .*imaging\.py: No such file"):
        archive.read(str(tmp_path / "imaging.py"))


@pytest.mark.parametrize("name", ["notes.txt", "my-scan.py", "class.py", ".py", "imaging"])
def test_a_file_with_another_name_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(IMAGING)
    with pytest.raises(NotASessionError):
        archive.read(str(tmp_path / name))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>Please log in</html>", "line 1: invalid syntax"),
        (b"x = 1\nx = \xff\n", "codec can't decode"),
        (b"x = '\0'", "null bytes"),
        (b"# coding: klingon\n", "unknown encoding"),
        (b"x = " + b"-" * 100_000 + b"1", "MemoryError"),
        (b"#" * (archive.LARGEST + 1), "larger than 10 MB"),
    ],
)
def test_a_file_that_is_not_python_is_refused(tmp_path, content, reason):
    (tmp_path / "imaging.py").write_bytes(content)
    with pytest.raises(NotASessionError, match=rf"imaging\.py is not a session: .*{reason}"):
        archive.read(str(tmp_path / "imaging.py"))


def test_two_sources_cannot_have_the_same_session():
    assert archive.merged([{"a": b""}, {"b": b""}]) == {"a": b"", "b": b""}
    with pytest.raises(SessionError, match="two of the sources have a session a"):
        archive.merged([{"a": b""}, {"a": b""}])


# -- zip archives ---------------------------------------------------------------------------------------------------


def test_what_is_exported_can_be_imported(session, sessions, tmp_path):
    content = session("imaging", "x = 'é'  # \t\r\n").read_bytes()
    session("optics", "")
    (sessions / "notes.txt").touch()
    target = archive.export(tmp_path / "backup")
    assert target == tmp_path / "backup.zip"
    assert archive.read(str(target)) == {"imaging": content, "optics": b""}


def test_an_archive_is_replaced_as_a_whole(session, tmp_path, monkeypatch):
    session("imaging", "")
    (tmp_path / "backup.zip").write_bytes(b"the one before")
    monkeypatch.chdir(tmp_path)
    archive.export("backup.zip")
    assert list(archive.read("backup.zip")) == ["imaging"]
    assert [each.name for each in tmp_path.iterdir() if each.name != "data"] == ["backup.zip"]


def test_an_archive_that_cannot_be_written_is_explained(session, tmp_path):
    with pytest.raises(SessionError, match="there are no sessions in"):
        archive.export(tmp_path / "backup")
    session("imaging", "")
    with pytest.raises(SessionError, match=r"cannot write .*backup\.zip: No such file or directory"):
        archive.export(tmp_path / "nowhere" / "backup")


@pytest.mark.parametrize("member", ["../evil.py", "/etc/evil.py", "a/../../evil.py", "..\\evil.py"])
def test_an_archive_that_would_write_elsewhere_is_refused(pack, member):
    with pytest.raises(NotASessionError, match="would be written outside the session directory"):
        archive.read(pack(imaging_py=IMAGING, **{member: b"x = 1\n"}))


def test_of_an_archive_only_sessions_are_taken(pack):
    packed = pack(imaging_py=IMAGING, setup_py="<", readme="<", **{"folder/other.py": "<", "my-notes.py": "<"})
    assert archive.read(packed) == {"imaging": IMAGING}
    with pytest.raises(SessionError, match=r"there is no session in sessions\.zip"):
        archive.read(pack(readme=b""))


def test_an_archive_that_is_none_is_explained(tmp_path, pack):
    (tmp_path / "a.zip").write_bytes(b"<html>")
    with pytest.raises(SessionError, match=r"cannot unpack a\.zip: File is not a zip file"):
        archive.read(str(tmp_path / "a.zip"))
    packed = bytearray((tmp_path / "sessions.zip").read_bytes() if pack(imaging_py=IMAGING) else b"")
    packed[len("PK") + 38] ^= 0xFF  # in the content, so that the checksum is wrong
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(SessionError, match=r"cannot unpack a\.zip: "):
        archive.read(str(tmp_path / "a.zip"))


def test_a_small_archive_of_something_huge_is_refused(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name in "abc":
            made.writestr(f"{name}.py", b"#" * (archive.LARGEST // 2))
    (tmp_path / "bomb.zip").write_bytes(packed.getvalue())
    with pytest.raises(NotASessionError, match="larger than 10 MB"):
        archive.read(str(tmp_path / "bomb.zip"))


# -- the web --------------------------------------------------------------------------------------------------------


def test_a_session_is_fetched_from_the_web(pack):
    with open(pack(optics_py=IMAGING), "rb") as packed:
        pages = {
            "/raw/imaging.py?token=1": IMAGING,
            "/all.zip": packed.read(),
            "/old/imaging.py": "/raw/imaging.py?token=1",
        }
    with serving(pages) as address:
        assert archive.read(f"{address}/raw/imaging.py?token=1") == {"imaging": IMAGING}
        assert archive.read(f"{address}/old/imaging.py") == {"imaging": IMAGING}
        assert archive.read(f"{address}/all.zip") == {"optics": IMAGING}


def test_what_the_web_does_not_have_is_explained():
    with serving({"/login.py": b"<html>", "/a.py": "file:///etc/passwd"}) as address:
        for page, reason in [
            ("nothing.py", "cannot fetch .*: Not Found"),
            ("login.py", "login.py is not a session"),
            ("a.py", "cannot fetch .*"),
            ("é.py", "cannot fetch .*"),
        ]:
            with pytest.raises(SessionError, match=reason):
                archive.read(f"{address}/{page}")
    with pytest.raises(SessionError, match=r"cannot fetch .*Connection refused"):
        archive.read(f"{address}/imaging.py")


@pytest.mark.parametrize("url", ["ftp://example.org/imaging.py", "file:///tmp/imaging.py", "ext::sh://x/imaging.py"])
def test_other_kinds_of_addresses_are_refused(url):
    with pytest.raises(NotASessionError, match="expected an address that begins with https:// or http://"):
        archive.read(url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost, which nobody but the test has a reason to trust."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    arguments = [*command.split(), "-addext", "subjectAltName=DNS:localhost", "-keyout", path, "-out", f"{path}.crt"]
    try:
        subprocess.run(arguments, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl, which makes the certificate, is not installed")
    return f"{path}.crt", path


def test_certificates_are_verified(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serving({"/imaging.py": IMAGING}, context) as address:
        with pytest.raises(SessionError, match="CERTIFICATE_VERIFY_FAILED"):
            archive.read(f"{address}/imaging.py")
        monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
        assert archive.read(f"{address}/imaging.py") == {"imaging": IMAGING}


def test_what_begins_encrypted_stays_so(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    with (
        serving({"/imaging.py": IMAGING}) as plain,
        serving({"/imaging.py": f"{plain}/imaging.py"}, context) as address,
        pytest.raises(SessionError, match="which is not encrypted"),
    ):
        archive.read(f"{address}/imaging.py")


# -- git ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a function that makes a git repository of names and contents and returns its path."""
    for variable in [each for each in os.environ if each.startswith("GIT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    where = tmp_path / "repository"
    identity = ["-c", "user.name=Jo", "-c", "user.email=jo@localhost"]

    def make(files):
        where.mkdir()
        for name, content in files.items():
            (where / name).parent.mkdir(exist_ok=True)
            (where / name).write_bytes(content)
        (where / "link.py").symlink_to("/etc/hostname")
        for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message=All"]):
            subprocess.run(["git", "-C", where, *command], check=True)
        return str(where)

    return make


def test_the_sessions_of_a_repository_are_read(repository, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    url = repository({"imaging.py": IMAGING, "README.md": b"", "setup.py": b"", "deep/other.py": b""})
    assert archive.read_repository(url) == {"imaging": IMAGING}
    assert archive.read_repository(f"file://{url}") == {"imaging": IMAGING}
    assert [each.name for each in tmp_path.iterdir()] == ["repository"]  # the clone is gone


def test_a_repository_without_sessions_is_refused(repository):
    url = repository({"README.md": b""})
    with pytest.raises(SessionError, match="there is no session in"):
        archive.read_repository(url)


def test_what_is_no_repository_is_explained(tmp_path):
    with pytest.raises(SessionError, match=r"cannot clone .*nowhere.*: .*nowhere"):
        archive.read_repository(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("url", ["ext::touch {}", "--upload-pack=touch {}"])
def test_a_repository_cannot_be_a_command(tmp_path, url):
    with pytest.raises(SessionError, match="cannot clone"):
        archive.read_repository(url.format(tmp_path / "evil"))
    assert not (tmp_path / "evil").exists()


def test_nothing_that_is_refused_was_written(sessions, pack):
    with pytest.raises(NotASessionError):
        management.add(archive.read(pack(imaging_py=IMAGING, **{"../evil.py": b""})))
    assert not sessions.exists()
