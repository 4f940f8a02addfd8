"""Scans from coarse to fine: find a reflection, go to its centre, map it in the background, compare, and go back.

Both axes and the diode belong to the simulated controller of another session, two_axes.
"""

from two_axes import bragg, detector

from concert.session.prelude import *


def find():
    """Look for the reflection in coarse steps, then in fine ones around its peak, and go to its centre."""
    ascan(bragg, 10.9 * q.deg, 11.1 * q.deg, 20)
    goto_peak()
    dscan(bragg, -0.03 * q.deg, 0.03 * q.deg, 24)
    goto_cen()


def chart():
    """Map the reflection over both axes in the background: pause, let it go on, and wait for its end."""
    run = dmesh(
        detector, -0.1 * q.deg, 0.1 * q.deg, 2, bragg, -0.03 * q.deg, 0.03 * q.deg, 12, snake=True, background=True
    )
    pause(run)
    resume(run)
    return run.result()


def tour():
    """Find the reflection, map it, tell what is different from before, and go back a step."""
    before = snapshot()
    find()
    where, height = chart().peak
    print(f"peak {height:.3f~P} at bragg {where['bragg']:.3f~P}, detector {where['detector']:.3f~P}")
    print(diff(before))
    undo()
    wm(bragg, detector)
