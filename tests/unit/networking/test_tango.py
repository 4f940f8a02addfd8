import os

import pytest

from concert.async_ import runtime
from concert.async_._native import thread_ident
from concert.networking.base import get_tango_device

tango = pytest.importorskip("tango")


@pytest.fixture
def proxies(monkeypatch):
    """Let proxies be their names; return the list of the native threads that they were made in."""
    threads = []

    def make(name):
        threads.append(thread_ident())
        return f"proxy of {name}"

    monkeypatch.setattr(tango, "DeviceProxy", make)
    return threads


@pytest.mark.parametrize(
    "uri",
    [
        "exp/motor/1",
        "detector",
        "tango://cryo:10000/exp/motor/1",
        "//cryo:10000/exp/motor/1",
        "tango://127.0.0.1:10000/sys/sim/1#dbase=no",
    ],
)
def test_name_is_passed_on(proxies, uri):
    assert get_tango_device(uri) == f"proxy of {uri}"


def test_peer_becomes_part_of_the_name_and_not_of_the_environment(proxies, monkeypatch):
    monkeypatch.setenv("TANGO_HOST", "elsewhere:10000")
    assert get_tango_device("exp/motor/1", peer="cryo:10000") == "proxy of tango://cryo:10000/exp/motor/1"
    assert os.environ["TANGO_HOST"] == "elsewhere:10000"


@pytest.mark.skipif(runtime() != "gevent", reason="there is no hub to keep running")
def test_proxy_is_made_beside_the_hub(proxies):
    get_tango_device("exp/motor/1")
    assert proxies != [thread_ident()]


@pytest.mark.parametrize("uri", ["", "exp/motor", "exp/motor/1/position", "a b/c/d", "http://cryo:1/a/b/c", "a//c"])
def test_name_is_checked(proxies, uri):
    with pytest.raises(ValueError, match=r"^expected a Tango device such as 'domain/family/member', not "):
        get_tango_device(uri)
    assert not proxies


@pytest.mark.parametrize("peer", ["", "cryo", "cryo:", ":10000", "cryo:0", "cryo:65536", "a:1,b:2", "tango://cryo:1"])
def test_peer_is_checked(proxies, peer):
    with pytest.raises(ValueError, match=r"^expected a Tango database as 'host:port', not "):
        get_tango_device("exp/motor/1", peer)
    assert not proxies


def test_two_databases_are_one_too_many(proxies):
    with pytest.raises(ValueError, match=r"'tango://ice:1/exp/motor/1', which names its own$"):
        get_tango_device("tango://ice:1/exp/motor/1", peer="cryo:10000")
