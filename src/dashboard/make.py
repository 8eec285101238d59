#!/usr/bin/env python3
"""make.py MODE NODE NPM SCRATCH OUTPUT DEPFILE: the pages as a table in C.

Fetches the packages of package-lock.json when they are not there, checks and
bundles app/ and makes the table of assets.h from it.  MODE "enabled": whatever
is missing is an error; "auto": without npm's packages the table is empty, which
is said in a line.  What is wrong with the pages themselves is always an error.
DEPFILE names what OUTPUT was made from, for ninja.
"""

import fcntl
import gzip
import hashlib
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NODE_MIN = 18
FETCH_SECONDS = 180
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Missing(Exception):
    """What the pages are made with is not on this machine."""


def check_node(node):
    version = subprocess.run([node, "--version"], capture_output=True,
                             encoding="utf-8", check=True).stdout.strip()
    if int(re.match(r"v(\d+)", version).group(1)) < NODE_MIN:
        raise Missing("node is %s, and %d is the oldest that will do"
                      % (version, NODE_MIN))


def fetch_packages(npm):
    """Once for each package-lock.json; two builds take turns."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes())
    stamp = HERE / "node_modules" / ".complete"
    try:
        with open(HERE / "package.json", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if stamp.exists() and stamp.read_text() == wanted.hexdigest():
                return
            done = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                 "--prefer-offline", "--fetch-retries=1",
                 "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"],
                cwd=HERE, capture_output=True, encoding="utf-8",
                timeout=FETCH_SECONDS, check=False)
            if done.returncode != 0:
                raise Missing("npm cannot fetch packages: "
                              + reason_of(done.stderr))
            stamp.write_text(wanted.hexdigest())
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Missing("npm cannot fetch packages: %s" % problem) from problem


def reason_of(complaint):
    lines = [re.sub(r"^npm (ERR!|error)\s*", "", line).strip()
             for line in complaint.splitlines()]
    wanted = [line for line in lines if line.startswith(("network", "request"))]
    return (wanted or [line for line in lines if line] or ["it failed"])[0]


def bundle(node, scratch):
    for command in ([node, "node_modules/typescript/bin/tsc", "--noEmit"],
                    [node, "build.mjs", str(scratch)]):
        done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8",
                              check=False)
        if done.returncode != 0:
            sys.exit(done.stdout)


def path_of(name):
    return "/index.html" if name == "index.html" else "/assets/" + name


def table(files):
    """The same files give the same bytes."""
    text = ['#include "dashboard/assets.h"', ""]
    rows = []
    for number, file in enumerate(files):
        if file.suffix not in TYPES:
            sys.exit("make.py: %s: no type is known for %s"
                     % (file, file.suffix or "a name without an ending"))
        data = gzip.compress(file.read_bytes(), 9, mtime=0)
        lines = [",".join(map(str, data[i:i + 24]))
                 for i in range(0, len(data), 24)]
        text.append("static const unsigned char asset_%d[] = {\n%s\n};"
                    % (number, ",\n".join(lines)))
        rows.append('\t{ "%s", "%s", asset_%d, sizeof(asset_%d) },'
                    % (path_of(file.name), TYPES[file.suffix], number, number))
    # C knows no empty arrays.
    rows.append("\t{ 0, 0, 0, 0 },")
    text.append("const struct asset dashboard_assets[] = {\n%s\n};"
                % "\n".join(rows))
    text.append("const size_t dashboard_asset_count = %d;" % len(files))
    return "\n".join(text) + "\n"


def dependencies():
    """Folders, too: a file that is new changes its folder."""
    names = ["package.json", "package-lock.json", "tsconfig.json", "build.mjs"]
    found = [HERE / name for name in names] + [HERE / "app"]
    return found + sorted((HERE / "app").rglob("*"))


def main(mode, node, npm, scratch, output, depfile):
    files = []
    try:
        check_node(node)
        fetch_packages(npm)
        bundle(node, pathlib.Path(scratch).resolve())
        files = sorted(pathlib.Path(scratch).iterdir())
    except Missing as missing:
        if mode == "enabled":
            sys.exit("dashboard: %s" % missing)
        print("dashboard: left out, %s; try again: make dashboard" % missing,
              file=sys.stderr)
    pathlib.Path(output).write_text(table(files), encoding="utf-8")
    pathlib.Path(depfile).write_text("%s: %s\n" % (output, " ".join(
        os.fspath(path).replace(" ", "\\ ") for path in dependencies())),
        encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
