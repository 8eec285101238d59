#!/usr/bin/env python3
"""embed.py DOCUMENT OUTPUT: a JSON document as C, without its blanks."""

import json
import sys


def main(document, output):
    with open(document, encoding="utf-8") as file:
        text = json.dumps(json.load(file), separators=(",", ":"))
    data = text.encode()
    rows = [", ".join("%d" % byte for byte in data[i:i + 16])
            for i in range(0, len(data), 16)]
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "admin/openapi.h"\n\n'
                   "const char admin_openapi[] = {\n\t%s\n};\n"
                   "const size_t admin_openapi_len = %d;\n"
                   % (",\n\t".join(rows + ["0"]), len(data)))


if __name__ == "__main__":
    main(*sys.argv[1:])
