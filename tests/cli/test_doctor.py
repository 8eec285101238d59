"""sprov doctor: does it find what was broken, and know when it does not?"""

import json
import os
import subprocess

import pytest

import faults
from daemon import BINARY, wait_until

# What may be wrong, if it is not said with high confidence.
MISSES_MAX = 2


class Answer:
    def __init__(self, fault, groups):
        self.fault = fault
        self.groups = groups
        self.first = groups[0] if groups else None

    @property
    def right(self):
        return self.first is not None and \
            self.first["cause"] == self.fault.cause

    @property
    def falsely_sure(self):
        return any(group["cause"] != self.fault.cause and
                   group["confidence"] == "high" for group in self.groups)


@pytest.fixture
def site():
    made = faults.Site()
    made.start()
    yield made
    made.close()


def doctor(site, *options, status=None):
    done = subprocess.run(
        [str(BINARY), "doctor", "--config", str(site.config), *options],
        env=site.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)
    assert done.returncode in ((0, 3) if status is None else (status,)), \
        done.stderr
    return done


def examine(site, fault):
    """What the doctor says once the fault is in the record."""
    def ask():
        done = doctor(site, "--json", "--all")
        groups = json.loads(done.stdout)["groups"]
        return groups
    wait_until((site.folder / "events.db").exists, "a record of events")
    groups = wait_until(ask, "a trouble in the record")
    # The record is written in batches: what was asked for may be behind.
    try:
        wait_until(lambda: any(group["cause"] == fault.cause
                               for group in ask()), "", patience=3)
    except AssertionError:
        pass
    groups = ask()
    return Answer(fault, groups)


@pytest.fixture(scope="module")
def answers():
    return []


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda f: f.what)
def test_fault(site, fault, answers):
    """No wrong cause with high confidence, whatever else."""
    fault.inject(site)
    answer = examine(site, fault)
    answers.append(answer)
    assert answer.groups, site.log.tail()
    assert not answer.falsely_sure, answer.groups
    for group in answer.groups:
        assert group["text"] and group["evidence"], group


def test_all_of_them(answers):
    """After the others: how many were found."""
    if len(answers) < len(faults.FAULTS):
        pytest.skip("only some faults were tried")
    missed = [(answer.fault.what, answer.fault.cause,
               [group["cause"] for group in answer.groups])
              for answer in answers if not answer.right]
    target = os.environ.get("SPROV_DOCTOR_TABLE")
    if target:
        write_table(target, answers)
    assert len(missed) <= MISSES_MAX, missed


def write_table(path, answers):
    """The table of docs/doctor.md."""
    lines = ["| what was broken | what the doctor says | sure | right |",
             "|---|---|---|---|"]
    for answer in answers:
        first = answer.first
        lines.append("| %s | %s: %s. *%s.* %s | %s | %s |" % (
            answer.fault.what, first["cause"], first["text"],
            first["evidence"],
            first["fix"] and "To do: " + first["fix"] + ".",
            first["confidence"], "yes" if answer.right else "no"))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
