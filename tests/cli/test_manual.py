"""Every command and every option that --help names is in the manual pages."""

import pathlib
import re
import subprocess

import pytest

from conftest import BINARY

MAN = pathlib.Path(__file__).resolve().parents[2] / "man"


def help_of(*words):
    done = subprocess.run([str(BINARY), *words, "--help"], capture_output=True,
                          encoding="utf-8", timeout=30, check=True)
    return done.stdout


def commands(text):
    """The names in the list of commands; none for a command without."""
    return re.findall(r"^  ([a-z]+)  +\S", text, re.M)


def options(text):
    return re.findall(r"^  (?:-.,|   ) --([a-z0-9-]+)", text, re.M)


def pages():
    return commands(help_of())


@pytest.mark.parametrize("command", pages())
def test_options(command):
    page = (MAN / ("sprov-%s.1" % command)).read_text(encoding="utf-8")
    text = help_of(command)
    words = [()] + [(one,) for one in commands(text)]
    if command == "ca":
        words += [("claim", one) for one in commands(help_of(command, "claim"))]
    if command == "admin":
        words += [("token", one) for one in commands(help_of(command, "token"))]
    missing = []
    for more in words:
        text = help_of(command, *more)
        assert all(len(line) <= 80 for line in text.splitlines()), text
        missing += [" ".join((command, *more)) + " --" + option
                    for option in options(text)
                    if option != "help" and not re.search(
                        r"Fl (\S+ )?(, )?-%s\b(?!-)" % option, page)]
        if more and not re.search(r"\b%s\b" % more[-1], page):
            missing.append(" ".join((command, *more)))
    assert not missing


def test_each_command_is_listed():
    page = (MAN / "sprov.1").read_text(encoding="utf-8")
    assert [one for one in pages() if "sprov-%s 1" % one not in page] == []
