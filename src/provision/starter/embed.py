#!/usr/bin/python3
"""Turn the starter templates into C arrays.

usage: embed.py TEMPLATE.xml... OUTPUT.c

Bytes, not string literals: C17 promises room for 4095 characters only.
starter.c has their order and what each is for.
"""

import os
import sys


def main(inputs, output):
    text = "#include \"provision/starter.h\"\n\n"
    for path in inputs:
        name = os.path.basename(path).removesuffix(".xml").replace("-", "_")
        with open(path, "rb") as file:
            data = file.read()
        if not data.isascii() or b"\0" in data:
            sys.exit("%s: expected ASCII text" % path)
        text += "const char starter_%s[] = {\n" % name
        for start in range(0, len(data), 12):
            text += "\t" + ", ".join(
                "0x%02x" % byte for byte in data[start:start + 12]) + ",\n"
        text += "\t0x00,\n};\n\n"
    with open(output, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
