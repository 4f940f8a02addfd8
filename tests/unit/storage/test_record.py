"""The record of a running scan: points become durable, with units, in their order, whoever appends them."""

import sqlite3
import subprocess
import sys
import threading

import numpy as np
import pytest

from concert.async_ import async_, threaded, wait
from concert.quantities import q
from concert.storage import Column

EVERYWHERE = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)


def point(number):
    return number * q.mm, float(number) * q.V


def rows_in_file(catalogue, number):
    """Return how many points somebody else finds in the file."""
    connection = sqlite3.connect(catalogue.path)
    try:
        return connection.execute("SELECT count(*) FROM points WHERE scan = ?", (number,)).fetchone()[0]
    finally:
        connection.close()


@EVERYWHERE
def test_a_point_is_in_the_file_when_append_returns(catalogue, header):
    record = catalogue.begin(header())
    for number in range(5):
        record.append(point(number))
        assert record.durable == number + 1 == rows_in_file(catalogue, record.number)


@EVERYWHERE
def test_points_that_are_not_waited_for_are_in_the_file_after_flush(catalogue, header):
    record = catalogue.begin(header())
    for number in range(5000):
        record.append(point(number), wait=False)
    record.flush()
    assert record.durable == 5000 == rows_in_file(catalogue, record.number)
    assert record.rows(4998) == [point(4998), point(4999)]


@EVERYWHERE
def test_points_of_many_are_each_stored_once(catalogue, header):
    record = catalogue.begin(header())

    def append(number):
        for step in range(20):
            record.append(point(20 * number + step), wait=step % 2)

    wait([async_(append)(number) for number in range(5)] + [threaded(append)(number) for number in range(5, 10)])
    record.flush()
    assert sorted(row[1].magnitude for row in record.rows()) == list(range(200))


def test_a_thread_that_concert_knows_nothing_of_may_append(catalogue, header):
    record = catalogue.begin(header())
    thread = threading.Thread(target=lambda: record.append(point(1)))
    thread.start()
    thread.join()
    assert record.durable == 1


def test_later_values_are_converted_to_the_units_of_the_first(catalogue, header):
    record = catalogue.begin(header())
    record.append((1 * q.mm, 20 * q.mV))
    record.append((1 * q.um, 1 * q.V))
    assert record.rows() == [(1 * q.mm, 20 * q.mV), (0.001 * q.mm, 1000 * q.mV)]
    assert str(record.rows()[1][1].units) == "millivolt"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((1 * q.mm, 1 * q.A), "column 'diode' takes a quantity in V, or in a unit like it, .* not 1 A"),
        ((1 * q.mm, 1.0), "column 'diode' takes a quantity in V, .* not 1.0"),
        ((1 * q.mm, None), "column 'diode' takes a quantity in V, .* not None"),
        ((1 * q.mm,), "a point has 2 values, one for each column, not 1"),
    ],
)
def test_a_refused_point_is_no_point(catalogue, header, wrong, message):
    record = catalogue.begin(header())
    record.append(point(0))
    with pytest.raises(ValueError, match=message):
        record.append(wrong)
    record.append(point(1))
    assert record.rows() == [point(0), point(1)]


def test_what_cannot_be_held_is_refused_at_the_first_point(catalogue, header):
    record = catalogue.begin(header())
    with pytest.raises(TypeError, match="column 'diode' cannot hold None; it takes numbers, quantities, texts"):
        record.append((1 * q.mm, None))
    record.append(point(0))
    assert record.durable == 1


@pytest.mark.parametrize(
    "values",
    [
        [1.5, float("inf"), -0.0],
        [1, 2**63 - 1, -(2**63) + 1],
        [True, False],
        ["red", "", "größer\n"],
        [q.Quantity(25.5, "degC"), q.Quantity(26, "degC")],
        [3 * q.dimensionless, 4 * q.dimensionless],
    ],
    ids=["float", "int", "bool", "text", "offset unit", "dimensionless"],
)
def test_values_come_back_as_they_were(catalogue, header, values):
    record = catalogue.begin(header(columns=(Column("x", "detector"),)))
    for value in values:
        record.append((value,))
    assert [value for (value,) in record.rows()] == values
    assert [type(value) for (value,) in record.rows()] == [type(value) for value in values]


def test_numpy_values_are_plain_values(catalogue, header):
    columns = tuple(Column(name, "detector") for name in "abcd")
    record = catalogue.begin(header(columns=columns))
    record.append((np.float32(0.5), np.uint8(7), np.bool_(True), np.array(3.5)))
    assert record.rows() == [(0.5, 7, True, 3.5)]


def test_arrays_have_a_fixed_shape(catalogue, header):
    record = catalogue.begin(header(columns=(Column("spectrum", "detector"), Column("profile", "detector"))))
    record.append((np.arange(4, dtype=np.uint16), [[1.0, 2.0]] * q.V))
    record.append((np.ones(4, dtype=np.uint16), [[3.0, 4.0]] * q.mV))
    spectrum, profile = record.rows()[1]
    assert spectrum.tolist() == [1, 1, 1, 1]
    assert spectrum.dtype == np.uint16
    assert profile.m_as(q.mV).tolist() == [[3, 4]]
    assert record.data["profile"].shape == (2, 1, 2)
    with pytest.raises(ValueError, match=r"takes an array of numbers of shape \(4,\) .* not an array of shape \(3,\)"):
        record.append((np.ones(3), [[3.0, 4.0]] * q.V))


@pytest.mark.parametrize(
    ("first", "later"),
    [(0, 0.5), (True, 2), (False, 0.5), (1, 2**70), (np.array([1, 2]), np.array([0.5, 2]))],
    ids=["int float", "bool int", "bool float", "large int", "arrays"],
)
def test_a_column_becomes_wider_when_a_value_needs_it(catalogue, header, first, later):
    record = catalogue.begin(header(columns=(Column("x", "detector"), Column("name", "detector"))))
    record.append((first, "a"))
    record.append((later, "b"))
    record.append((first, "c"))
    values = record.data["x"].magnitude
    assert values.tolist() == [np.asarray(value).tolist() for value in (first, later, first)]
    assert list(record.data["name"]) == ["a", "b", "c"]


def test_whole_numbers_stay_whole_where_floats_come_in_between(catalogue, header):
    record = catalogue.begin(header(columns=(Column("counts", "detector"),)))
    for value in (3, 4.0, 5):
        record.append((value,))
    assert record.data["counts"].magnitude.dtype == np.int64


def test_progress_is_told_in_the_hub(catalogue, header, until):
    record = catalogue.begin(header())
    told = []
    record.on_durable = told.append
    record.append(point(0))
    until(lambda: told == [1])
    for number in range(1, 100):
        record.append(point(number), wait=False)
    record.flush()
    until(lambda: told[-1] == 100)
    assert told == sorted(set(told))


def test_who_listens_and_fails_harms_nobody(catalogue, header, until, caplog):
    record = catalogue.begin(header())
    record.on_durable = lambda points: 1 / 0
    record.append(point(0))
    until(lambda: "what follows the points of scan 1 failed" in caplog.text)
    record.append(point(1))
    assert record.durable == 2


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_a_killed_wait_does_not_lose_the_point(catalogue, header, until):
    record = catalogue.begin(header())
    appending = async_(lambda: [record.append(point(number)) for number in range(10_000)])()
    until(lambda: record._appended > 10)
    appending.kill()
    appended = record._appended
    record.flush()
    rows = record.rows()  # a thread may still have appended one more
    assert rows == [point(number) for number in range(len(rows))]
    assert len(rows) >= appended


def test_an_ended_record_takes_no_more_points(measured):
    with pytest.raises(RuntimeError, match="scan 1 has ended and takes no more points"):
        measured().append(point(4))


def test_an_end_that_does_not_exist_is_refused(catalogue, header):
    record = catalogue.begin(header())
    with pytest.raises(ValueError, match="a scan ends done, stopped, aborted, failed, not 'fine'"):
        record.finish("fine")


def test_elapsed_times_survive_a_clock_that_jumps(catalogue, header, monkeypatch):
    record = catalogue.begin(header())
    record.append(point(0))
    monkeypatch.setattr("time.time", lambda: 0.0)
    record.append(point(1))
    record.finish("done")
    scan = catalogue.last
    first, second = scan.elapsed.m_as(q.s)
    assert 0 < first < second < 60
    assert scan.ended >= scan.began


def test_two_processes_write_into_one_directory_at_the_same_time(catalogue, header):
    script = """
import sys
from concert.storage import Catalogue, Column, Header
catalogue = Catalogue(sys.argv[1])
for _ in range(20):
    record = catalogue.begin(Header("scan", columns=(Column("x", "detector"),)))
    for value in range(20):
        record.append((value,))
    print(record.number, record.durable, flush=True)
"""
    others = [
        subprocess.Popen([sys.executable, "-c", script, catalogue.directory], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    mine = []
    for _ in range(20):
        record = catalogue.begin(header())
        record.append(point(0))
        mine.append(record.number)
    printed = [line.split() for process in others for line in process.communicate()[0].splitlines()]
    assert {points for _, points in printed} == {"20"}
    assert sorted(mine + [int(number) for number, _ in printed]) == list(range(1, 61))


def test_a_scan_ends_once(catalogue, header):
    record = catalogue.begin(header())
    record.append((0 * q.mm, 0 * q.V))
    record.finish("stopped", "enough")
    with pytest.raises(RuntimeError, match="scan 1 has ended already for this record and cannot end again as 'done'"):
        record.finish("done")
    assert (catalogue[1].status, catalogue[1].reason) == ("stopped", "enough")


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_of_several_who_end_a_scan_one_does(catalogue, header, concert_runtime):
    record = catalogue.begin(header())
    statuses = ["done", "stopped", "aborted", "failed"]
    ends = [async_(record.finish)(status) for status in statuses] + [threaded(record.finish)("failed")]
    refused = [end for end in ends if end.exception() is not None]
    assert len(refused) == len(ends) - 1
    (first,) = set(ends) - set(refused)
    assert catalogue[1].status == [*statuses, "failed"][ends.index(first)]


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_a_record_does_not_end_a_scan_that_goes_on_with_another(catalogue, header, concert_runtime):
    before = catalogue.begin(header())
    before.append((0 * q.mm, 0 * q.V))
    before.finish("stopped")
    record = catalogue.reopen(1)
    with pytest.raises(RuntimeError, match="scan 1 has ended already"):
        before.finish("aborted")
    assert catalogue[1].status == "running"
    record.append((1 * q.mm, 0 * q.V))
    record.finish("done")
    assert (catalogue[1].status, catalogue[1].points) == ("done", 2)


def test_points_that_nobody_is_told_of_are_not_waited_for(catalogue, header):
    record = catalogue.begin(header())
    record.append((0 * q.mm, 0 * q.V))
    catalogue._journal.leave(1)
    record.append((1 * q.mm, 0 * q.V), wait=False)
    with pytest.raises(RuntimeError, match="points of scan 1 are lost"):
        record.flush()
