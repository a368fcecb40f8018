"""Freed memory is kept: a large tensor where others were costs no page faults."""

import platform
import subprocess
import sys

import pytest

from zoomvqa import allocation

FAULTS = """
import resource, sys, torch
from zoomvqa.allocation import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(16)  # aligned requests take a few rounds until a freed one fits
print(faults(4) * resource.getpagesize())
"""


def held(how: str) -> int:
    """Return how many bytes of pages the system handed out for four tensors of 64 MiB, one after the other."""
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a matter of glibc")
def test_large_tensors_are_used_again():
    assert held("kept") < 2**24
    assert held("not kept") > 2**26


def test_elsewhere_nothing_is_done(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert allocation.keep_freed_memory() is False


def test_without_mallopt_nothing_is_done(monkeypatch):
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda _: object())
    assert allocation.keep_freed_memory() is False
