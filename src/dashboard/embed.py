#!/usr/bin/env python3
"""embed.py DIST OUTPUT: the files of a folder as the table of assets.h.

DIST/index.html is served as /, all else as /assets/NAME.  A folder that is
missing is an empty one.  The same files give the same bytes.
"""

import gzip
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def path_of(name):
    return "/index.html" if name == "index.html" else "/assets/" + name


def main(dist, output):
    folder = pathlib.Path(dist)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    text = ['#include "dashboard/assets.h"', ""]
    table = []
    for number, file in enumerate(files):
        name = file.relative_to(folder).as_posix()
        if file.suffix not in TYPES:
            sys.exit("embed.py: %s: no type is known for %s"
                     % (file, file.suffix or "a name without an ending"))
        data = gzip.compress(file.read_bytes(), 9, mtime=0)
        rows = [",".join(map(str, data[i:i + 24]))
                for i in range(0, len(data), 24)]
        text.append("static const unsigned char asset_%d[] = {\n%s\n};"
                    % (number, ",\n".join(rows)))
        table.append('\t{ "%s", "%s", asset_%d, sizeof(asset_%d) },'
                     % (path_of(name), TYPES[file.suffix], number, number))
    # C knows no empty arrays.
    table.append("\t{ 0, 0, 0, 0 },")
    text.append("const struct asset dashboard_assets[] = {\n%s\n};"
                % "\n".join(table))
    text.append("const size_t dashboard_asset_count = %d;" % len(files))
    made = pathlib.Path(output)
    new = "\n".join(text) + "\n"
    if not made.exists() or made.read_text(encoding="utf-8") != new:
        made.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
