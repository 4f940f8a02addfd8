"""The process that draws scans, in files and in a window, so that drawing never keeps anything else waiting.

It is started as a program of its own, and imports nothing of Concert. Orders come on standard input, each a line of
JSON, with the numbers of the points behind it where there are some; answers go to standard output, a line of JSON each.

    {"do": "begin", "of", "title", "columns": [[name, unit], ...], "moved": 2, "grid": [[...], [...]] or null, "window"}
    {"do": "rows", "of", "rows": 10}, followed by 10 numbers of 8 bytes for each column
    {"do": "title", "of", "title"}
    {"do": "save", "of", "path"}: answered {"saved": path} or {"failed": path, "reason"}
    {"do": "show", "of", "name"}: answered {"saved": name} when the window shows it
    {"do": "forget", "of"}

*of* is the number of a picture. The window shows the one that was begun last with a true *window*.
If the window cannot be opened it ends and says why, as it does when something else goes wrong.
"""

import json
import os
import select
import sys
import time

import numpy as np

INTERVAL = 0.2  # seconds between two drawings in the window
MANY = 200_000  # points in a window; of more, every second one is left out
PANELS = 6  # so many signals fit under each other


class Picture:
    """What is drawn of one scan: the points so far, and how to draw them on a figure of matplotlib."""

    def __init__(self, title, columns, moved, grid=None, most=None):
        self.title = title
        self.most = most
        self.columns = columns
        self.moved = moved
        self.grid = grid
        self._blocks = []
        self._all = np.empty((0, len(columns)))

    def add(self, rows):
        self._blocks.append(rows)

    @property
    def rows(self):
        """All points, an array with a row for each."""
        if self._blocks:
            self._all = np.concatenate([self._all, *self._blocks])
            self._blocks = []
        while self.most is not None and self.grid is None and len(self._all) > self.most:
            self._all = self._all[::2]
        return self._all

    def draw(self, figure):
        """Draw everything anew."""
        figure.clear()
        signals = range(self.moved, len(self.columns))[:PANELS]
        area = self.grid if self.grid is not None else self._found_grid()
        if self.moved == 2 and area is not None:
            self._draw_images(figure, signals, area)
        elif self.moved == 2 and self._line() is None and len(self.rows):
            self._draw_spots(figure, signals)
        else:
            self._draw_curves(figure, signals)
        figure.suptitle(self.title, fontsize="medium", wrap=True)

    def _label(self, column):
        name, unit = self.columns[column]
        return f"{name} / {unit}" if unit else name

    # -- curves -----------------------------------------------------------------------------------------------------

    def _line(self):
        """Return the column over which the signals are curves: the first one that goes one way."""
        if self.moved == 1:
            return 0
        steps = np.diff(self.rows[:, : self.moved], axis=0)
        one_way = np.all(steps > 0, axis=0) | np.all(steps < 0, axis=0)
        return int(np.argmax(one_way)) if one_way.any() else None

    def _draw_curves(self, figure, signals):
        rows, line = self.rows, self._line()
        panels = figure.subplots(max(1, len(signals)), sharex=True, squeeze=False)[:, 0]
        x = np.arange(len(rows)) if line is None else rows[:, line]
        style = ".-" if len(rows) <= 2000 else "-"
        for panel, signal in zip(panels, signals, strict=False):
            panel.plot(x, rows[:, signal], style)
            panel.set_ylabel(self._label(signal))
            panel.grid(alpha=0.3)
        panels[-1].set_xlabel("point" if line is None else self._label(line))

    # -- areas ------------------------------------------------------------------------------------------------------

    def _found_grid(self):
        """Return the positions of a grid on which all points lie, if there is one and they fill most of it."""
        if self.moved != 2 or len(self.rows) < 4 or self._line() is not None:
            return None
        grid = [_places(self.rows[:, column]) for column in range(2)]
        sizes = [len(places) for places in grid]
        return grid if min(sizes) > 1 and sizes[0] * sizes[1] <= 2 * len(self.rows) else None

    def _draw_images(self, figure, signals, grid):
        slow, fast = (np.sort(np.asarray(places, dtype=float)) for places in grid)
        at = _nearest(slow, self.rows[:, 0]), _nearest(fast, self.rows[:, 1])
        panels = figure.subplots(1, max(1, len(signals)), sharex=True, sharey=True, squeeze=False)[0]
        for panel, signal in zip(panels, signals, strict=False):
            image = np.full((len(slow), len(fast)), np.nan)
            image[at] = self.rows[:, signal]
            drawn = panel.pcolormesh(_edges(fast), _edges(slow), image)
            figure.colorbar(drawn, ax=panel, label=self._label(signal))
            panel.set_xlabel(self._label(1))
        panels[0].set_ylabel(self._label(0))

    def _draw_spots(self, figure, signals):
        panels = figure.subplots(1, max(1, len(signals)), sharex=True, sharey=True, squeeze=False)[0]
        for panel, signal in zip(panels, signals, strict=False):
            drawn = panel.scatter(self.rows[:, 1], self.rows[:, 0], c=self.rows[:, signal], s=20)
            figure.colorbar(drawn, ax=panel, label=self._label(signal))
            panel.set_xlabel(self._label(1))
        panels[0].set_ylabel(self._label(0))


def _places(values):
    """Return the distinct values, those that differ by a rounding error only being one."""
    places = np.unique(values[np.isfinite(values)])
    apart = np.diff(places, prepend=-np.inf) > 1e-6 * (np.ptp(places) if len(places) else 0)
    return places[apart]


def _nearest(places, values):
    """Return the index of the place that each of the values is nearest to."""
    middles = (places[1:] + places[:-1]) / 2
    return np.searchsorted(middles, values)


def _edges(places):
    """Return the edges of the cells whose middles the places are."""
    if len(places) == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middles = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middles[0]], middles, [2 * places[-1] - middles[-1]]])


class Window:
    """The window in which scans are seen while they run; opened with the first of them, and again if it was closed."""

    def __init__(self):
        self._figure = None

    @property
    def is_open(self):
        return self._figure is not None

    def open(self):
        if self._figure is not None:
            return
        import matplotlib

        _choose_toolkit(matplotlib)
        import matplotlib.pyplot as plt

        self._figure = plt.figure(figsize=(7, 4.5), layout="constrained")
        self._figure.canvas.mpl_connect("close_event", self._forget)
        self._figure.canvas.manager.set_window_title("Concert")
        self._figure.canvas.manager.show()

    def draw(self, picture):
        picture.draw(self._figure)
        self._figure.canvas.draw_idle()

    def answer(self):
        """Let the window react to its user."""
        if self._figure is not None:
            self._figure.canvas.flush_events()

    def _forget(self, _event):
        self._figure = None


def _choose_toolkit(matplotlib):
    """Prefer Tk where nobody has chosen: if it cannot open a window it says so, while Qt ends the whole process."""
    if "MPLBACKEND" not in os.environ:
        try:
            import tkinter  # noqa: F401
        except ImportError:
            pass
        else:
            matplotlib.use("tkagg")
    if matplotlib.get_backend().lower() == "agg":
        raise RuntimeError("matplotlib knows no toolkit for windows here; install Python's tkinter, or PyQt")


class Painter:
    """Follows the orders on *orders*, a file descriptor, and answers on *answers*."""

    def __init__(self, orders, answers):
        self._orders = orders
        self._answers = answers
        self._received = b""
        self._ended = False
        self._pictures = {}
        self._window = Window()
        self._shown = None  # the picture in the window
        self._changed = False
        self._due = 0.0  # when the window is drawn again, at the earliest

    def run(self):
        """Follow orders until there will be no more."""
        while not self._ended:
            timeout = INTERVAL if self._window.is_open else None
            if select.select([self._orders], [], [], timeout)[0]:
                self._receive()
            while (order := self._next()) is not None:
                self._follow(*order)
            self._show()

    def _receive(self):
        block = os.read(self._orders, 1 << 20)
        self._ended = not block
        self._received += block

    def _next(self):
        """Return the next order and its numbers, None if it has not arrived whole yet."""
        line, newline, rest = self._received.partition(b"\n")
        if not newline:
            return None
        order = json.loads(line)
        size = 8 * order["rows"] * len(self._pictures[order["of"]].columns) if order["do"] == "rows" else 0
        if len(rest) < size:
            return None
        self._received = rest[size:]
        return order, np.frombuffer(rest[:size])

    def _follow(self, order, numbers):
        what, number = order.pop("do"), order.pop("of")
        if what == "begin":
            window = order.pop("window")
            picture = self._pictures[number] = Picture(**order, most=MANY if window else None)
            self._shown = picture if window else self._shown
            return
        picture = self._pictures[number]
        self._changed |= picture is self._shown
        if what == "rows":
            picture.add(numbers.reshape(order["rows"], -1))
        elif what == "title":
            picture.title = order["title"]
        elif what == "save":
            self._save(picture, order["path"])
        elif what == "show":
            self._due = 0.0
            self._show()
            self._answer({"saved": order["name"]})
        else:
            del self._pictures[number]

    def _save(self, picture, path):
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure

            figure = Figure(figsize=(7, 4.5), layout="constrained")
            FigureCanvasAgg(figure)
            picture.draw(figure)
            _replace(path, lambda unfinished: figure.savefig(unfinished, dpi=120, format="png"))
        except Exception as error:
            self._answer({"failed": path, "reason": f"{type(error).__name__}: {error}"})
        else:
            self._answer({"saved": path})

    def _show(self):
        """Bring the window up to date, but leave most of the time to others."""
        began = time.monotonic()
        if self._changed and began >= self._due and len(self._shown.rows):
            self._window.open()
            self._window.draw(self._shown)
            self._changed = False
            self._window.answer()  # which draws
            self._due = time.monotonic() + 4 * (time.monotonic() - began)
        self._window.answer()

    def _answer(self, answer):
        os.write(self._answers, json.dumps(answer).encode() + b"\n")


def _replace(path, write):
    """Let *write* write the file *path*, which is there as a whole or not at all."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError("that is no file, and nothing is to come in its place")
    directory, name = os.path.split(path)
    unfinished = os.path.join(directory, f".{name}.{os.getpid()}")
    try:
        write(unfinished)
        os.replace(unfinished, path)
    except BaseException:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise


if __name__ == "__main__":
    try:
        Painter(sys.stdin.fileno(), sys.stdout.fileno()).run()
    except BrokenPipeError:  # nobody is interested any more
        pass
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
