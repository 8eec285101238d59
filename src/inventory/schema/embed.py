#!/usr/bin/python3
"""Turn the numbered migrations into a C array.

usage: embed.py 0001.sql [0002.sql ...] OUTPUT.c

Bytes, not string literals: C17 promises room for 4095 characters only.
"""

import os
import sys


def c_array(name, data):
    rows = []
    for start in range(0, len(data), 12):
        row = ", ".join("0x%02x" % byte for byte in data[start:start + 12])
        rows.append("\t" + row + ",\n")
    return "static const char %s[] = {\n%s\t0x00,\n};\n\n" % (name,
                                                              "".join(rows))


def main(inputs, output):
    text = "#include \"inventory/store.h\"\n\n"
    names = []
    for number, path in enumerate(inputs, start=1):
        expected = "%04d.sql" % number
        if os.path.basename(path) != expected:
            sys.exit("%s: migrations are numbered without a gap; expected %s"
                     % (path, expected))
        with open(path, "rb") as file:
            data = file.read()
        if not data.isascii() or b"\0" in data:
            sys.exit("%s: expected ASCII text" % path)
        names.append("migration_%04d" % number)
        text += c_array(names[-1], data)
    text += "const char *const inventory_migrations[] = {\n"
    text += "".join("\t%s,\n" % name for name in names)
    text += "};\n\nconst size_t inventory_migration_count = %d;\n" % len(names)
    with open(output, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
