"""The tutorial notebook, as `jupyter execute` runs it: in a kernel, which is not patched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parent.parent.parent / "sessions" / "tutorial.ipynb"
JUPYTER = Path(sys.executable).with_name("jupyter")

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """What each code cell has put out: by the first line of its source, a list of types and texts."""
    home = tmp_path_factory.mktemp("notebook")
    result = home / "result.ipynb"
    environment = os.environ | {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_STATE_HOME": str(home)}
    run = subprocess.run(
        [str(JUPYTER), "execute", f"--output={result}", str(NOTEBOOK)],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    outputs = {}
    for cell in json.loads(result.read_text())["cells"]:
        if cell["cell_type"] == "code":
            outputs[cell["source"][0].strip()] = [_content(each) for each in cell["outputs"]]
    return outputs


def _content(output):
    data = output.get("data", {"text/plain": output.get("text", "")})
    return {kind: "".join(text) for kind, text in data.items()}


def shown(outputs, kind="text/plain"):
    return "".join(output.get(kind, "") for output in outputs)


def test_the_kernel_runs_threads_and_says_so_once(cells):
    assert shown(cells["from concert.session.prelude import *"]) == (
        "asynchronous functions run in threads: a notebook kernel does not survive patching\n"
    )


def test_a_device_is_a_table_and_has_the_name_of_its_variable(cells):
    (output,) = cells["stage"]
    assert output["text/html"].startswith("<b>stage</b> LinearMotor<table>")
    assert "<td>position</td>" in output["text/html"]
    assert "<td>0 mm</td>" in output["text/html"]


def test_tables_are_tables(cells):
    (output,) = cells["mv(stage, 3 * q.mm)"]
    assert "<td>3.000 mm</td>" in output["text/html"]
    assert output["text/plain"].splitlines()[-1] == "stage   3.000 mm  [0, 40] mm"


def test_refusals_and_scans_are_as_everywhere(cells):
    assert "outside its soft limits" in shown(cells["try:"])
    assert "peak 1 V at 5.000 mm" in shown(cells["curve = ascan(stage, 0 * q.mm, 10 * q.mm, 20)"])


def test_a_plot_is_drawn(cells):
    assert shown(cells["import matplotlib.pyplot as plt"], "image/png")


def test_the_documented_spelling_works_in_cells(cells):
    assert "<td>position 40.000 mm</td>" in shown(cells["from concert.async import async, wait"], "text/html")
