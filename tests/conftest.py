"""Fixtures for tests that run the built binary.

SPROV names the binary; without it, build/sprov of this tree is run.
"""

import os
import pathlib
import subprocess

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SPROV", TREE / "build" / "sprov"))


class Result:
    """What a run printed and how it ended."""

    def __init__(self, run):
        self.status = run.returncode
        self.out = run.stdout
        self.err = run.stderr

    def __repr__(self):
        return "status %d\nout: %s\nerr: %s" % (self.status, self.out,
                                                self.err)


@pytest.fixture
def environment(tmp_path):
    """The environment of the binary: nothing of the caller's settings."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "SPROV_INVENTORY": "sqlite:%s" % (tmp_path / "inventory.db"),
        **{name: os.environ[name] for name in os.environ
           if name.endswith("SAN_OPTIONS")},
    }


@pytest.fixture
def sprov(tmp_path, environment):
    """Run sprov with arguments; the current folder is tmp_path."""

    def run(*arguments, stdin="", **more_environment):
        assert BINARY.exists(), "%s: build it first" % BINARY
        return Result(subprocess.run(
            [str(BINARY), *map(str, arguments)], input=stdin,
            cwd=tmp_path, env={**environment, **more_environment},
            capture_output=True, encoding="utf-8", timeout=60, check=False))

    return run


@pytest.fixture
def good(sprov):
    """As sprov, for runs that have to succeed; returns what was printed."""

    def run(*arguments, **options):
        result = sprov(*arguments, **options)
        assert result.status == 0 and result.err == "", result
        return result.out

    return run
