"""The documented spelling, where Python allows it at all."""

import importlib
import subprocess
import sys

import concert
import concert.async_


def test_the_documented_module_is_the_same_module():
    assert importlib.import_module("concert.async") is concert.async_
    assert getattr(concert, "async") is concert.async_  # a keyword


def test_the_documented_decorator_is_the_same_decorator():
    assert getattr(concert.async_, "async") is concert.async_.async_  # a keyword


def test_it_is_there_without_being_imported():
    code = "import concert; m = getattr(concert, 'async'); m.disable(); print(m.__name__, m.runtime())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["concert.async_", "sync"]


def test_the_documented_import_works_first():
    code = (
        "import importlib; m = importlib.import_module('concert.async'); import concert.async_; "
        "print(m is concert.async_, m.__name__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "concert.async_"]
