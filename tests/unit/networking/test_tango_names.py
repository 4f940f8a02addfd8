import pytest

from concert.networking._tango_names import parse

DATABASES = "cryo:10000"


@pytest.mark.parametrize(
    ("uri", "full"),
    [
        ("exp/motor/1", "tango://cryo:10000/exp/motor/1"),
        ("EXP/Motor/1", "tango://cryo:10000/EXP/Motor/1"),
        ("detector", "tango://cryo:10000/detector"),
        ("tango:exp/motor/1", "tango://cryo:10000/exp/motor/1"),
        ("tango:/exp/motor/1", "tango://cryo:10000/exp/motor/1"),
        ("exp/motor/1#dbase=yes", "tango://cryo:10000/exp/motor/1"),
        ("tango://ice:10001/exp/motor/1", "tango://ice:10001/exp/motor/1"),
        ("TANGO://ice:10001/exp/motor/1", "tango://ice:10001/exp/motor/1"),
        ("//ice:10001/exp/motor/1", "tango://ice:10001/exp/motor/1"),
        ("tango://127.0.0.1:10001/sys/sim/1#dbase=no", "tango://127.0.0.1:10001/sys/sim/1#dbase=no"),
        ("tango://127.0.0.1:10001/sys/sim/1#DBASE=NO", "tango://127.0.0.1:10001/sys/sim/1#dbase=no"),
    ],
)
def test_every_spelling_has_a_full_name(uri, full):
    assert parse(uri, None, DATABASES).full == full


@pytest.mark.parametrize(
    ("uri", "full"),
    [
        ("exp/motor/1", "tango://ice:10001/exp/motor/1"),
        ("detector", "tango://ice:10001/detector"),
        ("sys/sim/1#dbase=no", "tango://ice:10001/sys/sim/1#dbase=no"),
    ],
)
def test_peer_is_asked_instead_of_the_environment(uri, full):
    assert parse(uri, "ice:10001", DATABASES).full == full


def test_several_databases_may_be_known():
    name = parse("exp/motor/1", None, "cryo:10000, ice:10001")
    assert name.hosts == ("cryo:10000", "ice:10001")
    assert name.full == "tango://cryo:10000,ice:10001/exp/motor/1"
    assert name.place == "the Tango database at cryo:10000 or ice:10001"


@pytest.mark.parametrize(
    "uri",
    ["", "exp/motor", "exp/motor/1/position", "a b/c/d", "http://cryo:1/a/b/c", "a//c", "a/b/c#dbase=maybe", None, 5],
)
def test_what_is_no_name_is_refused(uri):
    with pytest.raises(ValueError, match=r"^expected a Tango device such as 'domain/family/member', not "):
        parse(uri, None, DATABASES)


@pytest.mark.parametrize("peer", ["", "cryo", "cryo:", ":10000", "cryo:0", "cryo:65536", "a:1,b:2", "tango://cryo:1"])
def test_peer_is_checked(peer):
    with pytest.raises(ValueError, match=r"^expected a Tango database as 'host:port', not "):
        parse("exp/motor/1", peer, DATABASES)


def test_peer_in_the_name_is_checked():
    with pytest.raises(ValueError, match=r"^expected a Tango database as 'host:port', not 'cryo'$"):
        parse("tango://cryo/exp/motor/1", None, DATABASES)


def test_two_databases_are_one_too_many():
    with pytest.raises(ValueError, match=r"'tango://ice:1/exp/motor/1', which names its own$"):
        parse("tango://ice:1/exp/motor/1", "cryo:10000", DATABASES)


@pytest.mark.parametrize("tango_host", [None, ""])
def test_unknown_database_is_told_with_what_to_do(tango_host):
    with pytest.raises(ValueError, match=r"^no Tango database is known for 'exp/motor/1': set TANGO_HOST=host:port, "):
        parse("exp/motor/1", None, tango_host)


@pytest.mark.parametrize("tango_host", ["cryo", "cryo:x", "cryo:1,ice", ",", "cryo:70000"])
def test_environment_is_checked(tango_host):
    with pytest.raises(ValueError, match=r"^expected TANGO_HOST to be host:port, or several of them with commas, not "):
        parse("exp/motor/1", None, tango_host)


def test_device_without_database_needs_the_servers_place():
    with pytest.raises(ValueError, match=r"^expected the server's place as well, 'tango://host:port/a/b/c#dbase=no'"):
        parse("a/b/c#dbase=no", None, DATABASES)
