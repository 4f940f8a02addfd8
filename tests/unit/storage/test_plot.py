"""Pictures of scans: what is on them, and the process that draws them, whatever happens to it."""

import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from concert.async_ import runtime
from concert.quantities import q
from concert.storage import PaintingError, ScanData, close_painters, plot_scan
from concert.storage._painter import Picture
from concert.storage._painting import painter
from tests.devices_for_tests import concurrent

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module", autouse=True)
def no_process_left():
    yield
    close_painters()


def figure_of(picture):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    picture.draw(figure)
    figure.canvas.draw()
    return figure


def data_of(columns):
    return ScanData("ascan", columns, *list(columns)[:2], datetime.now(UTC))


def columns(points=11):
    x = np.linspace(0, 10, points)
    return {"stage": x * q.mm, "diode": np.exp(-((x - 5) ** 2)) * q.V}


def data(points=11):
    return data_of(columns(points))


def grid(rows=3, places=4):
    y, x = np.meshgrid(np.arange(rows), np.arange(places), indexing="ij")
    return np.column_stack([y.ravel(), x.ravel(), (10 * y + x).ravel()]).astype(float)


NAMES = [["lift", "mm"], ["stage", "mm"], ["diode", "V"]]


def picture_of(rows, names=NAMES, moved=2, grid=None):
    picture = Picture("Scan 1", names, moved, grid)
    picture.add(rows)
    return picture


# -- what is on it --------------------------------------------------------------------------------------------------


def test_signals_are_curves_under_each_other_with_units_on_the_axes():
    rows = np.column_stack([np.arange(5.0), np.arange(5.0) ** 2, np.ones(5)])
    figure = figure_of(picture_of(rows, [["stage", "mm"], ["diode", "V"], ["ratio", ""]], 1))
    upper, lower = figure.axes
    assert (upper.get_ylabel(), lower.get_ylabel(), lower.get_xlabel()) == ("diode / V", "ratio", "stage / mm")
    assert upper.lines[0].get_ydata().tolist() == [0, 1, 4, 9, 16]
    assert figure.get_suptitle() == "Scan 1"


def test_motors_that_move_together_are_one_axis():
    rows = np.column_stack([np.ones(5), np.arange(5.0), np.ones(5)])
    figure = figure_of(picture_of(rows))
    assert figure.axes[0].get_xlabel() == "stage / mm"


def test_an_area_is_an_image():
    panel, _colours = figure_of(picture_of(grid())).axes
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("stage / mm", "lift / mm")
    assert panel.collections[0].get_array().tolist() == [[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]]


def test_to_and_fro_gives_the_same_image():
    rows = grid()
    rows[4:8] = rows[7:3:-1]
    panel, _colours = figure_of(picture_of(rows)).axes
    assert panel.collections[0].get_array().tolist() == [[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]]


def test_of_an_area_that_was_not_finished_the_rest_is_empty():
    panel, _colours = figure_of(picture_of(grid()[:10])).axes
    assert np.isnan(panel.collections[0].get_array()[2, 2:].filled(np.nan)).all()


def test_where_the_area_is_known_the_image_has_its_size_from_the_beginning():
    known = [[0, 1, 2], [0, 1, 2, 3]]
    panel, _colours = figure_of(picture_of(grid()[:1], grid=known)).axes
    assert panel.collections[0].get_array().shape == (3, 4)


def test_rounding_errors_make_no_new_places():
    rows = grid()
    rows[:, 1] *= 1 + 1e-12 * np.arange(len(rows))
    panel, _colours = figure_of(picture_of(rows)).axes
    assert panel.collections[0].get_array().shape == (3, 4)


def test_points_here_and_there_are_spots():
    rows = np.random.default_rng(1).random((30, 3))
    panel, _colours = figure_of(picture_of(rows)).axes
    assert len(panel.collections[0].get_offsets()) == 30


@pytest.mark.parametrize("rows", [np.empty((0, 3)), grid()[:1], np.full((4, 3), np.nan)], ids=["none", "one", "nan"])
def test_little_is_drawn_as_well(rows):
    assert figure_of(picture_of(rows)).axes


def test_many_signals_do_not_make_it_unreadable():
    rows = np.ones((3, 21))
    assert len(figure_of(picture_of(rows, [[f"x{n}", ""] for n in range(21)], 1)).axes) == 6


def test_in_a_window_there_are_not_more_points_than_can_be_seen():
    picture = Picture("Scan 1", [["t", "s"], ["diode", "V"]], 1, most=1000)
    for start in range(0, 10_000, 100):
        picture.add(np.column_stack([np.arange(start, start + 100.0), np.ones(100)]))
        assert len(picture.rows) <= 1000
    assert np.all(np.diff(picture.rows[:, 0]) > 0)


# -- the process that draws -----------------------------------------------------------------------------------------


def test_a_picture_is_saved(tmp_path):
    path = tmp_path / "scan_0001.png"
    assert plot_scan(path, "Scan 1", data()).result() == path
    assert path.read_bytes().startswith(PNG)
    assert list(tmp_path.iterdir()) == [path]


def test_pictures_can_be_drawn_at_the_same_time(tmp_path):
    drawings = [plot_scan(tmp_path / f"{n}.png", "Scan", data()) for n in range(3)]
    assert [drawing.result().name for drawing in drawings] == ["0.png", "1.png", "2.png"]


def test_many_points_are_drawn(tmp_path):
    path = tmp_path / "scan.png"
    plot_scan(path, "Scan", data(200_000)).join()
    assert path.read_bytes().startswith(PNG)


COLUMNS = {
    "stage": np.linspace(0, 1, 3) * q.um,
    "diode": np.arange(3.0) * q.V,
    "open": np.array([True, False, True]) * q.dimensionless,
    "remark": np.array(["a", "b", "c"], object),
    "spectrum": np.ones((3, 4)) * q.count,
}


@pytest.mark.parametrize(
    "names",
    [["stage", "diode"], list(COLUMNS), ["remark", "diode"]],
    ids=["curve", "everything", "text as axis"],
)
def test_what_is_no_number_is_left_out(tmp_path, names):
    path = plot_scan(tmp_path / "scan.png", "Scan 1", data_of({name: COLUMNS[name] for name in names})).result()
    assert path.read_bytes().startswith(PNG)


def test_without_numbers_there_is_no_picture(tmp_path):
    nothing = data_of({name: COLUMNS[name] for name in ("stage", "remark")})
    with pytest.raises(PaintingError, match="there is nothing in Scan 7 that could be drawn"):
        plot_scan(tmp_path / "scan.png", "Scan 7", nothing).join()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_saved_is_an_error_and_the_next_one_is_drawn(tmp_path):
    with pytest.raises(PaintingError, match=r"missing/scan.png could not be drawn: FileNotFoundError"):
        plot_scan(tmp_path / "missing" / "scan.png", "Scan", data()).join()
    plot_scan(tmp_path / "scan.png", "Scan", data()).join()


@concurrent
def test_a_process_that_is_killed_while_it_draws_fails_and_is_started_again(tmp_path):
    plot_scan(tmp_path / "1.png", "Scan", data()).join()
    first = painter()
    os.kill(first.pid, signal.SIGSTOP)
    drawing = plot_scan(tmp_path / "2.png", "Scan", data())
    os.kill(first.pid, signal.SIGKILL)
    with pytest.raises(PaintingError, match="the process that draws has ended"):
        drawing.join()
    plot_scan(tmp_path / "3.png", "Scan", data()).join()
    assert painter().pid != first.pid


def test_a_process_that_was_killed_before_is_started_again(tmp_path, until):
    first = painter()
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not painter_is(first))
    plot_scan(tmp_path / "2.png", "Scan", data()).join()


def painter_is(process):
    return painter() is process


def test_a_process_that_hangs_is_ended(tmp_path, monkeypatch):
    plot_scan(tmp_path / "1.png", "Scan", data()).join()
    first = painter()
    os.kill(first.pid, signal.SIGSTOP)
    monkeypatch.setattr("concert.storage._painting.PATIENCE", 0.5)
    monkeypatch.setattr("concert.async_._child.END_TIME", 0.1)
    with pytest.raises(PaintingError, match=r"has not done it within 0.5 s"):
        plot_scan(tmp_path / "2.png", "Scan", data(500_000)).join()
    assert not Path(f"/proc/{first.pid}").exists()


@pytest.mark.skipif(runtime() != "gevent", reason="of the hub, which keeps all greenlets running")
def test_nothing_waits_for_the_process(tmp_path):
    drawing = plot_scan(tmp_path / "scan.png", "Scan", data(300_000))
    began = before = time.monotonic()
    longest = 0.0
    while not drawing.done():
        time.sleep(0.001)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    drawing.join()
    assert longest < (time.monotonic() - began) / 2


def test_what_it_says_before_it_ends_is_told(tmp_path, monkeypatch):
    program = tmp_path / "painter.py"
    program.write_text("import sys; sys.exit('matplotlib is broken')")
    monkeypatch.setattr("concert.storage._painting.PROGRAM", program)
    close_painters()
    with pytest.raises(PaintingError, match="the process that draws has ended: matplotlib is broken"):
        plot_scan(tmp_path / "scan.png", "Scan", data()).join()
