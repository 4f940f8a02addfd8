"""The session's interlocks: added with a look, listed in a table, removed by name or number."""

import pytest

from concert.processes import Interlock, interlock, interlocks, remove_interlock
from concert.processes._interlocks import Interlocks, installed
from concert.processes._watch import Watch
from concert.quantities import q
from tests.unit.processes.conditions import Ring


@pytest.fixture
def ring():
    yield Ring()
    installed.clear()


def test_adding_shows_that_it_holds(ring, capsys):
    interlock(ring["current"] > 80 * q.mA, settle=5 * q.s)
    assert capsys.readouterr().out == "Interlock ring.current > 80 mA: holds\n"
    (added,) = installed
    assert (added.name, added.settle) == ("ring.current > 80 mA", 5)


def test_adding_shows_what_has_tripped_already(ring, capsys):
    ring.stored = 12 * q.mA
    interlock(ring["current"] > 80 * q.mA, name="beam")
    assert capsys.readouterr().out == "Interlock beam: tripped already, ring.current is 12 mA, wanted > 80 mA\n"


@pytest.mark.parametrize("given", [{"settle": 5 * q.s}, {"stop_motion": True}, {"stop_motion": False}, {"name": "x"}])
def test_what_would_be_ignored_beside_an_interlock_is_refused(ring, given):
    beam = Interlock(ring["current"] > 80 * q.mA, name="beam")
    (option,) = given
    message = f"the interlock beam is made already: give {option} to Interlock"
    with pytest.raises(TypeError, match=message):
        interlock(beam, **given)
    assert len(installed) == 0


def test_an_interlock_is_taken_as_it_is(ring, capsys):
    interlock(beam := Interlock(ring["current"] > 80 * q.mA, settle=5 * q.s, stop_motion=True))
    assert list(installed) == [beam]


def test_the_same_name_replaces(ring):
    interlock(ring["current"] > 80 * q.mA, name="beam")
    interlock(ring["shutter"].equals("open"))
    interlock(ring["current"] > 120 * q.mA, name="beam")
    assert [each.name for each in installed] == ["beam", "ring.shutter is 'open'"]
    assert str(next(iter(installed)).condition) == "ring.current > 120 mA"


def test_the_table_shows_how_all_are_now(ring, capsys):
    interlock(ring["current"] > 80 * q.mA, settle=10 * q.s)
    interlock(ring["shutter"].equals("open"), stop_motion=True, name="shutter")
    ring.shutter = "closed"
    capsys.readouterr()
    interlocks()
    assert capsys.readouterr().out.splitlines() == [
        "#  interlock             settle  when tripped          now",
        "1  ring.current > 80 mA  10 s    pauses                holds",
        "2  shutter               1 s     stops motion, pauses  ring.shutter is 'closed', wanted 'open'",
    ]


def test_an_empty_table_says_so(capsys):
    interlocks()
    assert capsys.readouterr().out == "no interlocks\n"


@pytest.mark.parametrize("how", [lambda added: added, lambda added: added.name, lambda added: 2])
def test_removing_by_itself_by_name_and_by_number(ring, how, capsys):
    interlock(kept := Interlock(ring["current"] > 80 * q.mA))
    interlock(added := Interlock(lambda: True, name="searched"))
    remove_interlock(how(added))
    assert list(installed) == [kept]
    assert capsys.readouterr().out.endswith("Interlock searched removed\n")


def test_removing_what_is_not_there_names_what_is(ring):
    with pytest.raises(ValueError, match="there is no interlock 'beam'; there are none"):
        remove_interlock("beam")
    interlock(ring["current"] > 80 * q.mA)
    for which in ("beam", 2, 0, True, None):
        with pytest.raises(ValueError, match=r"there are 1 \(ring.current > 80 mA\)"):
            remove_interlock(which)
    assert len(installed) == 1


def test_a_running_watch_follows(ring, concert_clock):
    mine = Interlocks()
    with Watch(mine) as watch:
        ring.stored = 12 * q.mA
        mine.add(beam := Interlock(ring["current"] > 80 * q.mA))
        concert_clock.advance(0.5)
        assert watch.problem() == "ring.current is 12 mA, wanted > 80 mA"
        mine.remove(beam)
        concert_clock.advance(0.5)
        assert watch.problem() is None


def test_a_second_function_without_a_name_does_not_replace_the_first(ring, capsys):
    first, second = eval("lambda: True, lambda: 1 < 2")
    interlock(first)
    with pytest.raises(ValueError, match=r"^there is another interlock the lambda in line 1 already, number 1: give"):
        interlock(second)
    interlock(second, name="second")
    interlock(eval("lambda: True"))  # the first one, typed once more
    assert [each.name for each in installed] == ["the lambda in line 1", "second"]
