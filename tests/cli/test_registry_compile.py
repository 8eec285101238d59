"""compile.py refuses every kind of mistake in the registry's tables."""
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ.get(
    "SPROV_SOURCE", pathlib.Path(__file__).parents[2]))
REGISTRY = SOURCE / "src/spa/registry"
COMPILE = REGISTRY / "compile.py"
TABLES = ["cas", "models", "stacks", "stack-uses", "releases", "claims",
          "denied", "parameters"]


def load_compile():
    spec = importlib.util.spec_from_file_location("registry_compile", COMPILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


compile_py = load_compile()


class Tables:
    """A copy of the tables to make mistakes in."""

    def __init__(self, folder):
        self.folder = folder
        for name in TABLES:
            shutil.copy(REGISTRY / f"{name}.tsv", folder)
        shutil.copy(SOURCE / "docs/sources.md", folder)

    def lines(self, table):
        return (self.folder / f"{table}.tsv").read_text().splitlines()

    def write(self, table, lines):
        (self.folder / f"{table}.tsv").write_text("\n".join(lines) + "\n")

    def find(self, table, **cells):
        """Number, columns and cells of the first row with these cells."""
        lines = self.lines(table)
        columns = lines[0].split("\t")
        for number, line in enumerate(lines[1:], 2):
            row = dict(zip(columns, line.split("\t")))
            if not line.startswith("#") and all(
                    row[column] == cell for column, cell in cells.items()):
                return number, row
        raise AssertionError(f"{table}: no row with {cells}")

    def change(self, table, where, **cells):
        number, row = self.find(table, **where)
        row.update(cells)
        lines = self.lines(table)
        lines[number - 1] = "\t".join(row.values())
        self.write(table, lines)
        return number

    def append(self, table, like, **cells):
        _, row = self.find(table, **like)
        row.update(cells)
        lines = self.lines(table)
        self.write(table, lines + ["\t".join(row.values())])
        return len(lines) + 1

    def compile(self):
        out = self.folder / "out.c"
        result = subprocess.run(
            [sys.executable, COMPILE]
            + [self.folder / f"{name}.tsv" for name in TABLES]
            + [self.folder / "sources.md", out],
            capture_output=True, text=True, check=False)
        assert out.exists() == (result.returncode == 0)
        return result.returncode, result.stderr

    def refused(self, name, number, text):
        status, errors = self.compile()
        assert status == 1
        wanted = f"{self.folder}/{name}.tsv:{number}: "
        assert any(line.startswith(wanted) and text in line
                   for line in errors.splitlines()), errors


@pytest.fixture
def tables(tmp_path):
    return Tables(tmp_path)


def test_tables_of_the_tree(tables):
    assert tables.compile() == (0, "")
    text = (tables.folder / "out.c").read_text()
    assert text.count("\t{ ") == sum(
        sum(1 for line in tables.lines(name)[1:] if not line.startswith("#"))
        for name in TABLES) + (
            tables.folder / "sources.md").read_text().count("\n### ")
    assert ('{ "SPA-LIST-TEST", "the cross table of devices and CAs in a '
            'comment on that page, tried on real devices by a user" },'
            in text)


CA = {"id": "ciscosb-prov-1"}
MODEL = {"name": "SPA504G"}
CLAIM = {"ca": "ciscosb-prov-2", "model": "SPA504G", "firmware_min": "7.5.6"}
BELOW = {"ca": "ciscosb-prov-2", "model": "SPA504G", "firmware_max": "<7.5.6"}
NOBODY = {"ca": "*", "model": "SPA1001"}
STACK = {"id": "mpp-12"}
USE = {"family": "SPA5xx", "firmware_min": "7.5.6"}
RELEASE = {"family": "SPA5xx", "version": "7.5.4"}
GENERIC = {"id": "sipura-generic-client"}

PARAMETER = {"name": "Max_Forward"}
LISTED = {"name": "Proxy_[line]_"}

CHANGES = [
    ("parameters", PARAMETER, {"source": "-"}, "no source"),
    ("parameters", PARAMETER, {"source": "NO-SUCH"}, '"NO-SUCH"'),
    ("parameters", PARAMETER, {"families": "PA"}, "in that order"),
    ("parameters", PARAMETER, {"families": "-"}, "in that order"),
    ("parameters", PARAMETER, {"type": "number"}, "wanted one of bool"),
    ("parameters", PARAMETER, {"range": "1-255"}, "LOW..HIGH"),
    ("parameters", {"name": "Resync_At__HHmm_"}, {"range": "x"}, "a length"),
    ("parameters", {"name": "SIP_Transport_[line]_"}, {"range": "-"},
     "range is empty"),
    ("parameters", PARAMETER, {"firmware": "7.5"}, "FROM..UNTIL"),
    ("parameters", PARAMETER, {"firmware": "x..7"}, 'firmware "x"'),
    ("parameters", PARAMETER, {"effect": "fire"}, "wanted one of -"),
    ("parameters", PARAMETER, {"confidence": "sure"}, "wanted one of high"),
    ("parameters", PARAMETER, {"name": "Max Forward"}, "a name, with [line]"),
    ("parameters", LISTED, {"name": "Proxy_[1]_"}, "a name, with [line]"),
    ("parameters", LISTED, {"name": "Max_Auth"}, "stands in line"),
    # Sources.
    *[(name, where, {"source": "-"}, "no source") for name, where in (
        ("cas", CA), ("models", MODEL), ("claims", CLAIM), ("stacks", STACK),
        ("stack-uses", USE), ("releases", RELEASE), ("denied", GENERIC))],
    *[(name, where, {"source": "SPA-LIST+NO-SUCH"}, '"NO-SUCH"')
      for name, where in (
          ("cas", CA), ("models", MODEL), ("claims", CLAIM),
          ("stacks", STACK), ("stack-uses", USE), ("releases", RELEASE),
          ("denied", GENERIC))],
    ("claims", CLAIM, {"source": "SPA-LIST+"}, 'source ""'),
    ("claims", CLAIM, {"source": ""}, "empty cell"),
    # Dangling ids.
    ("cas", {"id": "cmca"}, {"issuer": "no-such"}, "is no CA"),
    ("cas", {"id": "cmca"}, {"issuer": "cmca"}, "its own issuer"),
    ("models", MODEL, {"client_anchor": "no-such"}, "is no client CA"),
    ("models", MODEL, {"client_anchor": "sipura-prov-1"}, "is no client CA"),
    ("claims", CLAIM, {"ca": "no-such"}, "is unknown"),
    ("claims", CLAIM, {"ca": "ciscosb-client-1"}, "is no server CA"),
    ("claims", CLAIM, {"model": "SPA504"}, "is unknown"),
    ("claims", CLAIM, {"model": "SPA5xx"}, "is unknown"),
    ("stack-uses", USE, {"family": "SPA6xx"}, "has no model"),
    ("stack-uses", USE, {"stack": "no-such"}, "is unknown"),
    ("stack-uses", USE, {"model": "SPA112"}, "is none of SPA5xx"),
    ("stack-uses", USE, {"model": "SPA599"}, "is none of SPA5xx"),
    ("releases", RELEASE, {"family": "SPA6xx"}, "has no model"),
    # Firmware ranges.
    ("claims", CLAIM, {"firmware_min": "7.5.x"}, "one version is wanted"),
    ("claims", CLAIM, {"firmware_min": "seven"}, "a number is wanted first"),
    ("claims", CLAIM, {"firmware_min": "<7.5.6"}, "a number is wanted first"),
    ("claims", CLAIM, {"firmware_max": "7..5"}, "two separators"),
    ("claims", CLAIM, {"firmware_max": "<*"}, "needs a version"),
    ("claims", CLAIM, {"firmware_max": "<"}, "a part is missing"),
    ("claims", CLAIM, {"firmware_max": "7.5.4"}, "no firmware is in"),
    ("claims", CLAIM, {"firmware_max": "<7.5.6"}, "no firmware is in"),
    ("claims", CLAIM, {"firmware_max": "7.5.2b"}, "no firmware is in"),
    ("stack-uses", USE, {"firmware_min": "7.5.6("}, "is not closed"),
    ("stack-uses", {"family": "SPA5xx", "firmware_min": "7.6.2f"},
     {"firmware_min": "7.5.4"}, "below that of an earlier"),
    ("releases", RELEASE, {"version": "*"}, "a number is wanted"),
    ("releases", RELEASE, {"version": "7.5.1234567890"}, "9 digits"),
    # Duplicates, also under another spelling.
    ("cas", CA, {"id": "sipura-prov-1"}, "this id stands in line"),
    ("cas", CA, {"sha256": "dadf03f569f39f06de15b1d740866049177751e4aa016ef43f"
                 "aed1a167cf4521"}, "this sha256 stands in line"),
    ("models", {"name": "SPA508G"}, {"name": "spa-504g"}, "stands in line"),
    ("models", {"name": "SPA508G"}, {"certificate_product": "SPA504G"},
     "stands in line"),
    ("stacks", STACK, {"id": "mpp-11"}, "this id stands in line"),
    ("releases", RELEASE, {"version": "7.5.2(b)"}, "stands in line"),
    ("stack-uses", {"family": "SPA5xx", "firmware_min": "7.6.2f"},
     {"firmware_min": "7.5.6"}, "stands in line"),
    # Words, numbers, dates.
    ("cas", CA, {"role": "root"}, "wanted one of"),
    ("cas", CA, {"server": "maybe"}, "wanted one of yes, no"),
    ("cas", CA, {"signing": "soon"}, "wanted one of"),
    ("cas", CA, {"key": "rsa1024"}, "RSA-bits"),
    ("cas", CA, {"digest": "sha"}, "wanted md5"),
    ("cas", CA, {"exponent": "17"}, "wanted 3 or 65537"),
    ("cas", CA, {"version": "2"}, "wanted 1 or 3"),
    ("cas", CA, {"serial": "ABC"}, "hex digits"),
    ("cas", CA, {"sha256": "d2358c"}, "64 lower-case hex digits"),
    ("cas", CA, {"sha256": "g" * 64}, "64 lower-case hex digits"),
    ("cas", CA, {"key_sha256": "A" * 64}, "64 lower-case hex digits"),
    ("cas", CA, {"not_before": "2009-09-25"}, "wanted a time"),
    ("cas", CA, {"not_after": "2050-02-30T00:00:00Z"}, "wanted a time"),
    ("cas", CA, {"not_after": "2009-09-25T00:57:30Z"}, "not before"),
    ("cas", CA, {"signing_until": "2022"}, "wanted a date"),
    ("cas", CA, {"signing_until": "2022-13-01"}, "no such day"),
    ("cas", CA, {"name": "-"}, "name is empty"),
    ("cas", CA, {"id": "Cisco SB"}, "wanted lower-case"),
    ("denied", GENERIC, {"sha256": "-"}, "sha256 is empty"),
    ("denied", GENERIC, {"key_sha256": "12"}, "64 lower-case hex digits"),
    ("models", MODEL, {"identity": "generic"}, "wanted one of"),
    ("models", MODEL, {"product": "-"}, "product is empty"),
    ("models", MODEL, {"user_agent": "Cisco/SPA504G"}, "{version}"),
    ("models", MODEL, {"user_agent": "Cisco/{version} {ip}"}, "{version}"),
    ("stacks", STACK, {"min_version": "3.0"}, "wanted one of 1.0"),
    ("stacks", STACK, {"max_version": "1.1"}, "above max_version"),
    ("stacks", STACK, {"ciphers": "AES128-SHA,AES256-SHA"}, "OpenSSL names"),
    ("stacks", STACK, {"ciphers": "-"}, "ciphers is empty"),
    ("stacks", STACK, {"extensions": "no"}, "sni without extensions"),
    ("stacks", STACK, {"name_check": "none"}, "wanted one of address"),
    ("stacks", STACK, {"assumed": "true"}, "wanted one of yes, no"),
    ("claims", CLAIM, {"verdict": "yes"}, "wanted one of trusted"),
    ("claims", CLAIM, {"basis": "observed"}, "wanted one of tested"),
    ("claims", CLAIM, {"basis": "user_test"}, "wanted one of tested"),
    ("claims", CLAIM, {"confidence": "certain"}, "wanted one of high"),
    ("claims", CLAIM, {"confidence": "none"}, "needs a confidence"),
    ("claims", CLAIM, {"basis": "none"}, "without a basis"),
    ("claims", NOBODY, {"confidence": "low"}, "without a basis"),
    ("claims", NOBODY, {"basis": "vendor", "confidence": "low",
                        "verdict": "not"}, 'is for the verdict unknown'),
    ("claims", CLAIM, {"reason": "-"}, "reason is empty"),
    ("claims", CLAIM, {"reason": "caf\u00e9"}, "outside printable ASCII"),
    ("claims", CLAIM, {"reason": "trailing "}, "blanks"),
]


@pytest.mark.parametrize("name,where,cells,text", CHANGES)
def test_change_is_refused(tables, name, where, cells, text):
    number = tables.change(name, where, **cells)
    tables.refused(name, number, text)


@pytest.mark.parametrize("name,where,cells,text", [
    ("claims", CLAIM, {}, "this claim stands in line"),
    ("claims", CLAIM, {"firmware_min": "7.5(6)"}, "this claim stands in line"),
    ("claims", BELOW, {"reason": "again"}, "this claim stands in line"),
    ("cas", CA, {}, "this id stands in line"),
    ("models", MODEL, {}, "stands in line"),
    ("stacks", STACK, {}, "this id stands in line"),
    ("releases", RELEASE, {}, "this release stands in line"),
    ("denied", GENERIC, {}, "this id stands in line"),
])
def test_second_row_is_refused(tables, name, where, cells, text):
    number = tables.append(name, where, **cells)
    tables.refused(name, number, text)


@pytest.mark.parametrize("cells", [
    {"basis": "tested"},           # another basis is another claim
    {"firmware_max": "7.6"},       # and so is another range
    {"firmware_min": "7.5.6a"},
    {"firmware_min": "7.5.6", "firmware_max": "7.5.6"},
    {"firmware_min": "*", "firmware_max": "7.5.6"},
])
def test_other_claim_is_accepted(tables, cells):
    tables.append("claims", CLAIM, **cells)
    assert tables.compile() == (0, "")


@pytest.mark.parametrize("name", TABLES)
def test_shape(tables, name):
    lines = tables.lines(name)
    last = len(lines)
    tables.write(name, lines[:-1] + [lines[-1] + "\tmore"])
    tables.refused(name, last, "columns: wanted")
    tables.write(name, lines[:-1] + [lines[-1].rpartition("\t")[0]])
    tables.refused(name, last, "columns: wanted")
    tables.write(name, [lines[0].replace("source", "sources")] + lines[1:])
    tables.refused(name, 1, "column heads")
    tables.write(name, lines[:1])
    tables.refused(name, 1, "no rows")
    tables.write(name, lines + ["", "# a remark"])
    assert tables.compile() == (0, "")


def test_family_without_stack(tables):
    number, _ = tables.find("models", family="WIP")
    lines = [line for line in tables.lines("stack-uses")
             if not line.startswith("WIP\t")]
    tables.write("stack-uses", lines)
    tables.refused("models", number, "has no stack")


def test_source_keys(tables):
    path = tables.folder / "sources.md"
    text = path.read_text()
    path.write_text(text + "\n### SPA-LIST\n")
    status, errors = tables.compile()
    assert status == 1 and '"SPA-LIST" stands twice' in errors
    path.write_text(text + "\n### a key\n")
    status, errors = tables.compile()
    assert status == 1 and '"a key" is no source key' in errors


def test_all_mistakes_at_once(tables):
    tables.change("claims", CLAIM, verdict="yes", basis="guess", source="-")
    tables.change("cas", CA, role="root")
    status, errors = tables.compile()
    assert status == 1
    assert len(errors.splitlines()) >= 4


def test_usage(tmp_path):
    result = subprocess.run([sys.executable, COMPILE, tmp_path / "out.c"],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")


def test_every_source_is_described():
    """Each key of sources.md says what, when, where and how much it weighs."""
    text = (SOURCE / "docs/sources.md").read_text()
    entries = text.split("\n### ")[1:]
    assert len(entries) > 40
    for entry in entries:
        for field in "Title", "Edition", "Where", "Weight":
            assert f"\n- {field}: " in entry, entry


def test_every_key_of_the_code_exists():
    """Keys in comments, such as [SPA-PROV] p. 43, are in sources.md."""
    keys = compile_py.read_sources(SOURCE / "docs/sources.md",
                                   compile_py.Problems())
    named = {}
    for path in [*SOURCE.glob("src/**/*.[ch]"), *SOURCE.glob("src/**/*.tsv"),
                 *SOURCE.glob("tests/**/*.[ch]")]:
        for key in re.findall(r"(?<![\w\])])\[((?=[^]]*[A-Z])(?![^]]*\.\.\.)"
                              r"[A-Z0-9]+[-.][A-Z0-9.-]*|MIC|"
                              r"NGCP|WAZO|RECOG|[0-9]{6})\]",
                              path.read_text()):
            named.setdefault(key, path)
    assert named
    for key, path in named.items():
        assert key in keys, f"{path}: [{key}]"


def read_order():
    classes, refused = [], []
    for line in (SOURCE / "tests/data/firmware-order.txt").read_text() \
            .splitlines():
        if line.startswith("!"):
            refused.append(line[1:])
        elif line and not line.startswith("#"):
            classes.append(line.split(" = "))
    assert len(classes) > 60 and len(refused) > 20
    return classes, refused


def test_firmware_order():
    """The order is that of firmware.c, which reads the same table."""
    classes, _ = read_order()
    keys = [{compile_py.firmware_key(text) for text in spellings}
            for spellings in classes]
    assert all(len(one) == 1 for one in keys)
    order = [one.pop() for one in keys]
    assert order == sorted(set(order))


@pytest.mark.parametrize("text", read_order()[1] + [
    " 7.5.2", "7.5.2 ", "7.5.2\n", "1.2(3 )", "\u0667.5"])
def test_firmware_refused(text):
    with pytest.raises(ValueError):
        compile_py.firmware_key(text)
