#!/usr/bin/env python3
"""Check the registry's tables and write them as C.

    compile.py TABLE.tsv... sources.md OUTPUT.c

Line 1 of a table names its columns, "#" begins a comment line, "-" is an
empty cell.  Every problem is reported as file:line: message; the status is 1
and nothing is written when there is one.  registry.h says what the columns
mean; the firmware order is that of firmware.c.
"""
import calendar
import os
import re
import sys
import time

SERVER_ROLES = ("server-anchor", "server-intermediate", "server-class")
CA_ROLES = {
    "server-anchor": "CA_SERVER_ANCHOR",
    "server-intermediate": "CA_SERVER_INTERMEDIATE",
    "server-class": "CA_SERVER_CLASS",
    "client-anchor": "CA_CLIENT_ANCHOR",
    "client-intermediate": "CA_CLIENT_INTERMEDIATE",
}
SIGNING = {"yes": "CA_SIGNING_YES", "no": "CA_SIGNING_NO",
           "unknown": "CA_SIGNING_UNKNOWN"}
BOOL = {"yes": "true", "no": "false"}
IDENTITIES = {"documented": "IDENTITY_DOCUMENTED",
              "observed": "IDENTITY_OBSERVED", "mic": "IDENTITY_MIC"}
NAME_CHECKS = {"address": "NAME_CHECK_ADDRESS",
               "san-or-cn": "NAME_CHECK_SAN_OR_CN", "san": "NAME_CHECK_SAN"}
VERSIONS = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}
VERDICTS = {"trusted": "VERDICT_TRUSTED", "not": "VERDICT_NOT",
            "unknown": "VERDICT_UNKNOWN"}
# No "observed": such claims are made by a running server only.
BASES = {"tested": "BASIS_TESTED", "firmware": "BASIS_FIRMWARE",
         "vendor": "BASIS_VENDOR", "community": "BASIS_COMMUNITY",
         "inferred": "BASIS_INFERRED", "none": "BASIS_NONE"}
PARAMETER_FAMILIES = {letter: f"PARAMETER_{name}" for letter, name in (
    ("A", "ADAPTER"), ("P", "PHONE"), ("G", "SPA525"), ("S", "SPA1XX"),
    ("T", "ATA19X"), ("M", "MPP"))}
PARAMETER_TYPES = ("bool int float hex port text password enum rule "
                   "report-rule upgrade-rule condition schedule hhmm ip host "
                   "url tone cadence code phone dialplan timezone "
                   "info").split()
EFFECTS = {"-": "EFFECT_NONE", "resync": "EFFECT_RESYNC",
           "admin": "EFFECT_ADMIN", "upgrade": "EFFECT_UPGRADE"}
CONFIDENCES = {"high": "CONFIDENCE_HIGH", "medium": "CONFIDENCE_MEDIUM",
               "low": "CONFIDENCE_LOW", "none": "CONFIDENCE_NONE"}

COLUMNS = {
    "cas": "id role server name subject common_name issuer key digest "
           "exponent version not_before not_after serial sha256 key_sha256 "
           "signing signing_until note source",
    "denied": "id name sha256 key_sha256 reason source",
    "models": "name family product series certificate_product user_agent "
              "default_rule identity client_anchor source",
    "stacks": "id min_version max_version ciphers extensions sni check_time "
              "check_sha256 name_check redirects http_1_1 assumed source",
    "stack-uses": "family model firmware_min stack source",
    "releases": "family version source",
    "claims": "ca model firmware_min firmware_max verdict basis confidence "
              "reason source",
    "parameters": "name families type range default firmware effect "
                  "confidence source",
}


def firmware_key(text):
    """The sort key of a version, as firmware.c makes it, or ValueError."""
    if len(text.encode()) > 63:
        raise ValueError("longer than 63 bytes")
    rest = re.sub(r"^[sS][iI][pP][A-Za-z0-9]*\.", "", text)
    key, in_bracket, need_part, before = [], False, True, ""
    while rest:
        number = re.match(r"[0-9]+", rest)
        word = re.match(r"[A-Za-z]+", rest)
        if number:
            if len(number[0]) > 9:
                raise ValueError("a number of more than 9 digits")
            key.append((0, int(number[0]), ""))
            need_part = False
        elif word and not key:
            raise ValueError("a number is wanted first")
        elif word and len(word[0]) == 1:
            letter = word[0].lower()
            if letter == "x" and need_part:
                raise ValueError("one version is wanted, not all of a line")
            key += [(1, 0, "sr"), (0, ord(letter) - ord("a") + 1, "")]
            need_part = False
        elif word:
            if len(word[0]) > 15:
                raise ValueError("a word of more than 15 letters")
            key.append((1, 0, word[0].lower()))
            need_part = False
        elif not key:
            raise ValueError("a number is wanted first")
        elif rest[0] == "(":
            if in_bracket:
                raise ValueError("a bracket within brackets")
            if need_part and before != " ":
                raise ValueError("two separators")
            in_bracket = need_part = True
        elif need_part:
            raise ValueError("two separators")
        elif rest[0] == ")":
            if not in_bracket:
                raise ValueError("a bracket that was not opened")
            in_bracket = False
        elif rest[0] in ".-_ ":
            need_part = True
        else:
            raise ValueError("a character that no version has")
        if len(key) > 16:
            raise ValueError("too many parts")
        length = len((number or word or [rest[0]])[0])
        before, rest = rest[length - 1], rest[length:]
    if in_bracket:
        raise ValueError("a bracket that is not closed")
    if need_part:
        raise ValueError("a part is missing")
    return tuple(key)


class Problems:
    def __init__(self):
        self.lines = []

    def add(self, path, line, text):
        self.lines.append(f"{path}:{line}: {text}")


class Row:
    """One row: cells by column name; each reader reports and goes on."""

    def __init__(self, path, line, cells, problems):
        self.path, self.line, self.cells = path, line, cells
        self.problems = problems

    def __getitem__(self, column):
        return self.cells[column]

    def problem(self, text):
        self.problems.add(self.path, self.line, text)

    def text(self, column):
        """A cell as C string; "-" is the empty one."""
        value = self[column]
        return c_string("" if value == "-" else value)

    def pointer(self, column, empty="-"):
        value = self[column]
        return "NULL" if value == empty else c_string(value)

    def need(self, column):
        if self[column] == "-":
            self.problem(f"{column} is empty")

    def word(self, column, words):
        if self[column] not in words:
            self.problem(f'{column} "{self[column]}": wanted one of '
                         + ", ".join(words))
            return next(iter(words.values()))
        return words[self[column]]

    def match(self, column, pattern, wanted):
        if self[column] != "-" and not re.fullmatch(pattern, self[column]):
            self.problem(f'{column} "{self[column]}": wanted {wanted}')
            return False
        return self[column] != "-"

    def seconds(self, column):
        """An RFC 3339 time in UTC as seconds; 0 when empty."""
        if self[column] == "-":
            return 0
        try:
            when = time.strptime(self[column], "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            self.problem(f'{column} "{self[column]}": wanted a time such as '
                         "2034-01-30T22:34:23Z")
            return 0
        return calendar.timegm(when)

    def firmware(self, column, empty="*"):
        """The sort key of a version; None when unbounded or malformed."""
        value = self[column].removeprefix("<" if column == "firmware_max"
                                          else "")
        if value == empty:
            if value != self[column]:
                self.problem(f'{column} "{self[column]}": "<" needs a version')
            return None
        try:
            return firmware_key(value)
        except ValueError as why:
            self.problem(f'{column} "{self[column]}": {why}')
            return None

    def hash(self, column):
        self.match(column, "[0-9a-f]{64}", "64 lower-case hex digits")
        return self[column]


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read_table(path, name, problems):
    columns = COLUMNS[name].split()
    rows = []
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    if lines[0].split("\t") != columns:
        problems.add(path, 1, "column heads: wanted " + " ".join(columns))
        return rows
    for number, line in enumerate(lines[1:], 2):
        if line == "" or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != len(columns):
            problems.add(path, number, f"{len(cells)} columns: wanted "
                         f"{len(columns)}")
            continue
        if re.search(r"[^\x20-\x7e]", "".join(cells)):
            problems.add(path, number, "a character outside printable ASCII")
            continue
        if any(cell != cell.strip() or cell == "" for cell in cells):
            problems.add(path, number, 'an empty cell, or one with blanks '
                         'around it: wanted "-" where there is nothing')
            continue
        rows.append(Row(path, number, dict(zip(columns, cells)), problems))
    if not rows:
        problems.add(path, 1, "no rows")
    return rows


def read_sources(path, problems):
    """docs/sources.md: the titles by key, which are third-level headings."""
    keys, key, in_title = {}, None, False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            heading = re.fullmatch(r"### (.*)\n?", line)
            if not heading:
                title = re.fullmatch(r"- Title: (.*)\n?", line)
                more = re.fullmatch(r"  (\S.*)\n?", line)
                in_title = bool(key and (title or (in_title and more)))
                if in_title:
                    keys[key] += " " * bool(keys[key]) + (title or more)[1]
                continue
            if not re.fullmatch(r"[A-Z0-9][A-Z0-9.-]*", heading[1]):
                problems.add(path, number, f'"{heading[1]}" is no source key')
            elif heading[1] in keys:
                problems.add(path, number, f'"{heading[1]}" stands twice')
            key, in_title = heading[1], False
            keys[key] = ""
    return keys


def check_sources(tables, keys):
    for rows in tables.values():
        for row in rows:
            if row["source"] == "-":
                row.problem("no source")
                continue
            for key in row["source"].split("+"):
                if key not in keys:
                    row.problem(f'source "{key}" is not in sources.md')


def check_unique(rows, what, key_of):
    """Report rows with a key that an earlier one has; first row by key."""
    seen = {}
    for row in rows:
        key = key_of(row)
        if key in seen:
            row.problem(f"{what} stands in line {seen[key].line} already")
        else:
            seen[key] = row
    return seen


def is_server_ca(row):
    return row["role"] in SERVER_ROLES or row["server"] == "yes"


def check_cas(rows):
    cas = check_unique(rows, "this id", lambda row: row["id"])
    for column in "sha256", "key_sha256":
        check_unique([row for row in rows if row[column] != "-"],
                     f"this {column}", lambda row: row[column])
    for row in rows:
        row.need("id")
        row.need("name")
        row.match("id", "[a-z0-9][a-z0-9-]*", "lower-case letters, digits "
                  "and hyphens")
        row.match("key", r"(RSA|EC)-[0-9]+", "RSA-bits or EC-bits")
        row.match("digest", "md5|sha1|sha256|sha384", "md5, sha1, sha256 or "
                  "sha384")
        row.match("exponent", "3|65537", "3 or 65537")
        row.match("version", "1|3", "1 or 3")
        row.match("serial", "([0-9A-F]{2})+", "pairs of upper-case hex digits")
        if row.match("signing_until", r"\d{4}-\d\d-\d\d", "a date"):
            try:
                time.strptime(row["signing_until"], "%Y-%m-%d")
            except ValueError:
                row.problem(f'signing_until "{row["signing_until"]}": no such '
                            "day")
        row.hash("sha256")
        row.hash("key_sha256")
        if row["issuer"] != "-" and row["issuer"] not in cas:
            row.problem(f'issuer "{row["issuer"]}" is no CA')
        if row["issuer"] == row["id"]:
            row.problem('its own issuer: wanted "-"')
        before, after = row.seconds("not_before"), row.seconds("not_after")
        if before and after and before >= after:
            row.problem("not_before is not before not_after")
    return cas


def write_cas(rows, out):
    hashes(rows, "ca", out)
    out.append("const struct ca registry_cas[] = {")
    for i, row in enumerate(rows):
        exponent = "65537" if row["exponent"] == "-" else row["exponent"]
        out.append("\t{ " + ", ".join([
            row.text("id"), row.word("role", CA_ROLES),
            row.word("server", BOOL), row.text("name"), row.text("subject"),
            row.text("common_name"), row.pointer("issuer"), row.text("key"),
            row.text("digest"), exponent,
            "true" if row["version"] == "1" else "false",
            str(row.seconds("not_before")), str(row.seconds("not_after")),
            row.text("serial"), hash_name(row, "ca", i, "sha256"),
            hash_name(row, "ca", i, "key_sha256"),
            row.word("signing", SIGNING), row.text("signing_until"),
            row.text("note"), row.text("source")]) + " },")
    finish(rows, "ca", out)


def hashes(rows, name, out):
    for i, row in enumerate(rows):
        for column in "sha256", "key_sha256":
            if re.fullmatch("[0-9a-f]{64}", row[column]):
                out.append("static const uint8_t "
                           + hash_name(row, name, i, column) + "[32] = { "
                           + ", ".join(str(byte) for byte in
                                       bytes.fromhex(row[column])) + " };")


def hash_name(row, name, i, column):
    return "NULL" if row[column] == "-" else f"{name}_{i}_{column}"


def finish(rows, name, out):
    out.append("};")
    out.append(f"const size_t registry_{name}_count = {len(rows)};")
    out.append("")


def write_denied(rows, out):
    check_unique(rows, "this id", lambda row: row["id"])
    for row in rows:
        for column in "id", "name", "sha256", "key_sha256", "reason":
            row.need(column)
        row.hash("sha256")
        row.hash("key_sha256")
    hashes(rows, "denied", out)
    out.append("const struct denied registry_denied[] = {")
    for i, row in enumerate(rows):
        out.append("\t{ " + ", ".join([
            row.text("id"), row.text("name"),
            hash_name(row, "denied", i, "sha256"),
            hash_name(row, "denied", i, "key_sha256"),
            row.text("reason"), row.text("source")]) + " },")
    finish(rows, "denied", out)


def spelling(name):
    """Model names compare without case, those of SPA without hyphens."""
    name = name.upper()
    return name.replace("-", "") if name.startswith("SPA") else name


def check_models(rows, cas):
    owner = {}
    for row in rows:
        for column in ("name", "family", "product", "series",
                       "certificate_product", "user_agent"):
            row.need(column)
        for column in "name", "product", "certificate_product":
            other = owner.setdefault(spelling(row[column]), row)
            if other is not row:
                row.problem(f'{column} "{row[column]}" stands in line '
                            f"{other.line} already")
        ca = cas.get(row["client_anchor"])
        if ca is None or not ca["role"].startswith("client-"):
            row.problem(f'client_anchor "{row["client_anchor"]}" is no client '
                        "CA")
        marks = re.sub(r"\{(version|MAC|mac|serial)\}", "", row["user_agent"])
        if re.search("[{}]", marks) or \
                row["user_agent"].count("{version}") != 1:
            row.problem(f'user_agent "{row["user_agent"]}": wanted one '
                        "{version}, and {MAC}, {mac} or {serial}")
    return {row["name"]: row for row in rows}


def write_models(rows, out):
    out.append("const struct model registry_models[] = {")
    for row in rows:
        out.append("\t{ " + ", ".join([
            row.text("name"), row.text("family"), row.text("product"),
            row.text("series"), row.text("certificate_product"),
            row.text("user_agent"), row.text("default_rule"),
            row.word("identity", IDENTITIES), row.text("client_anchor"),
            row.text("source")]) + " },")
    finish(rows, "model", out)
    write_spellings(rows, out)


def write_spellings(rows, out):
    """Every way to write a model, in order: it is looked up all the time."""
    found = {}
    for number, row in enumerate(rows):
        for column in ("name", "product", "certificate_product"):
            found.setdefault(spelling(row[column]), number)
    out.append("const struct spelling registry_spellings[] = {")
    for text, number in sorted(found.items(), key=lambda one: one[0].encode()):
        out.append(f'\t{{"{text}", {number}}},')
    out.append("};")
    out.append(f"const size_t registry_spelling_count = {len(found)};")
    out.append("")


def write_stacks(rows, out):
    out.append("const struct stack registry_stacks[] = {")
    for row in rows:
        row.need("id")
        row.match("ciphers", "[A-Z0-9-]+(:[A-Z0-9-]+)*",
                  "OpenSSL names with \":\" between them")
        row.need("ciphers")
        low = row.word("min_version", VERSIONS)
        high = row.word("max_version", VERSIONS)
        if low > high:
            row.problem("min_version is above max_version")
        out.append("\t{ " + ", ".join([
            row.text("id"), hex(low), hex(high), row.text("ciphers"),
            row.word("extensions", BOOL), row.word("sni", BOOL),
            row.word("check_time", BOOL), row.word("check_sha256", BOOL),
            row.word("name_check", NAME_CHECKS), row.word("redirects", BOOL),
            row.word("http_1_1", BOOL), row.word("assumed", BOOL),
            row.text("source")]) + " },")
        if row["sni"] == "yes" and row["extensions"] == "no":
            row.problem("sni without extensions")
    finish(rows, "stack", out)
    return check_unique(rows, "this id", lambda row: row["id"])


def check_family(row, families):
    if row["family"] not in families:
        row.problem(f'family "{row["family"]}" has no model')


def write_stack_uses(rows, models, stacks, out):
    families = {row["family"] for row in models.values()}
    last, covered = {}, set()
    keys = {row: row.firmware("firmware_min") for row in rows}
    check_unique(rows, "this family, model and firmware",
                 lambda row: (row["family"], row["model"], keys[row]))
    out.append("const struct stack_use registry_stack_uses[] = {")
    for row in rows:
        check_family(row, families)
        model = models.get(row["model"])
        if row["model"] != "*" and (model is None or
                                    model["family"] != row["family"]):
            row.problem(f'model "{row["model"]}" is none of {row["family"]}')
        if row["stack"] not in stacks:
            row.problem(f'stack "{row["stack"]}" is unknown')
        if (keys[row] or ()) < last.get(row["family"], ()):
            row.problem("firmware_min is below that of an earlier row")
        last[row["family"]] = keys[row] or ()
        if row["model"] == "*" and row["firmware_min"] == "*":
            covered.add(row["family"])
        out.append("\t{ " + ", ".join([
            row.text("family"), row.pointer("model", "*"),
            row.pointer("firmware_min", "*"), row.text("stack"),
            row.text("source")]) + " },")
    for model in models.values():
        if model["family"] not in covered:
            model.problem(f'family "{model["family"]}" has no stack for every '
                          "firmware")
            covered.add(model["family"])
    finish(rows, "stack_use", out)


def write_releases(rows, models, out):
    families = {row["family"] for row in models.values()}
    keys = {row: row.firmware("version", "") for row in rows}
    check_unique(rows, "this release", lambda row: (row["family"], keys[row]))
    out.append("const struct release registry_releases[] = {")
    for row in rows:
        check_family(row, families)
        out.append("\t{ " + ", ".join([
            row.text("family"), row.text("version"), row.text("source")])
            + " },")
    finish(rows, "release", out)


def check_claim(row, models, cas):
    if row["model"] not in models:
        row.problem(f'model "{row["model"]}" is unknown')
    if row["ca"] == "*":
        if row["verdict"] != "unknown":
            row.problem('ca "*" is for the verdict unknown')
    elif row["ca"] not in cas:
        row.problem(f'ca "{row["ca"]}" is unknown')
    elif not is_server_ca(cas[row["ca"]]):
        row.problem(f'ca "{row["ca"]}" is no server CA')
    if row["basis"] == "none" and (row["verdict"] != "unknown" or
                                   row["confidence"] != "none"):
        row.problem("without a basis, verdict is unknown and confidence none")
    if row["basis"] != "none" and row["confidence"] == "none":
        row.problem("a basis needs a confidence")
    low, high = row.firmware("firmware_min"), row.firmware("firmware_max")
    exclusive = row["firmware_max"].startswith("<")
    if low and high and (low > high or (low == high and exclusive)):
        row.problem(f'no firmware is in {row["firmware_min"]} to '
                    f'{row["firmware_max"]}')
    return low, high, exclusive


def write_claims(rows, models, cas, out):
    ranges = {row: check_claim(row, models, cas) for row in rows}
    check_unique(rows, "this claim", lambda row: (
        row["ca"], row["model"], ranges[row], row["basis"]))
    out.append("const struct claim registry_claims[] = {")
    for row in rows:
        high = row["firmware_max"].removeprefix("<")
        row.need("reason")
        out.append("\t{ " + ", ".join([
            row.text("ca"), row.text("model"),
            row.pointer("firmware_min", "*"),
            "NULL" if high == "*" else c_string(high),
            "true" if row["firmware_max"].startswith("<") else "false",
            row.word("verdict", VERDICTS), row.word("basis", BASES),
            row.word("confidence", CONFIDENCES), row.text("reason"),
            row.text("source")]) + " },")
    finish(rows, "claim", out)


def parameter_families(row):
    letters = row["families"]
    if not re.fullmatch("A?P?G?S?T?M?", letters) or letters == "-":
        row.problem(f'families "{letters}": wanted some of APGSTM, in that '
                    "order")
        return ["0"]
    return [PARAMETER_FAMILIES[letter] for letter in letters]


def check_parameter(row):
    row.match("name", r"([A-Za-z_][A-Za-z0-9_.-]*/)*[A-Za-z_]"
              r"([A-Za-z0-9_.-]|\[line\]|\[[0-9]+-[0-9]+\])*",
              "a name, with [line] or [1-9] where a number is")
    if row["type"] == "enum":
        row.need("range")
    elif row["type"] in ("int", "float", "hex"):
        row.match("range", r"[0-9]+\.\.[0-9]+", "LOW..HIGH")
    else:
        row.match("range", "[0-9]+", "a length")
    if row.match("firmware", r"[^ ]*\.\.[^ ]*", "FROM..UNTIL"):
        for end in row["firmware"].split(".."):
            try:
                firmware_key(end or "1")
            except ValueError as why:
                row.problem(f'firmware "{end}": {why}')


def write_parameters(rows, out):
    known = {f"PARAMETER_TYPE_{name}": name for name in PARAMETER_TYPES}
    types = {name: constant.upper().replace("-", "_")
             for constant, name in known.items()}
    seen = {}
    out.append("const struct parameter parameters[] = {")
    for row in rows:
        check_parameter(row)
        low, _, high = row["firmware"].partition("..")
        for family in parameter_families(row):
            other = seen.setdefault((row["name"], family), row)
            if other is not row:
                row.problem(f"stands in line {other.line} for one of these "
                            "families already")
        out.append("\t{ " + ", ".join([
            row.text("name"), " | ".join(parameter_families(row)),
            row.word("type", types), row.text("range"),
            row.text("default"),
            c_string(low) if low not in ("-", "") else "NULL",
            c_string(high) if high else "NULL",
            row.word("effect", EFFECTS),
            row.word("confidence", CONFIDENCES), row.text("source")])
            + " },")
    out += ["};", f"const size_t parameter_count = {len(rows)};", ""]


def write_sources(keys, out):
    out.append("const struct source registry_sources[] = {")
    out += [f"\t{{ {c_string(key)}, {c_string(keys[key])} }}," for key in keys]
    finish(keys, "source", out)


def translate(tables, keys):
    """Check all tables and return them as lines of C."""
    out = ["/* Made by compile.py from the tables beside it. */",
           '#include "spa/parameter.h"', '#include "spa/registry.h"',
           '#include "spa/spelling.h"', ""]
    check_sources(tables, keys)
    cas = check_cas(tables["cas"])
    models = check_models(tables["models"], cas)
    write_cas(tables["cas"], out)
    write_denied(tables["denied"], out)
    write_models(tables["models"], out)
    stacks = write_stacks(tables["stacks"], out)
    write_stack_uses(tables["stack-uses"], models, stacks, out)
    write_releases(tables["releases"], models, out)
    write_claims(tables["claims"], models, cas, out)
    write_parameters(tables["parameters"], out)
    write_sources(keys, out)
    return out


def main(arguments):
    paths = {os.path.basename(path).rsplit(".", 1)[0]: path
             for path in arguments[:-1]}
    if set(paths) != set(COLUMNS) | {"sources"}:
        print("usage: compile.py " + " ".join(f"{name}.tsv" for name in
              COLUMNS) + " sources.md OUTPUT", file=sys.stderr)
        return 2
    problems = Problems()
    keys = read_sources(paths["sources"], problems)
    tables = {name: read_table(paths[name], name, problems)
              for name in COLUMNS}
    out = translate(tables, keys)
    if problems.lines:
        print("\n".join(problems.lines), file=sys.stderr)
        return 1
    with open(arguments[-1], "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
