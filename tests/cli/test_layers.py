"""tools/layers: the arrows between folders, and who may use which library."""

import pathlib
import subprocess
import sys

import pytest

from conftest import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ROOT / "tools" / "layers"


def layers(*args):
    return subprocess.run([sys.executable, str(LAYERS), *map(str, args)],
                          capture_output=True, text=True, timeout=60)


def check(tmp_path, name, text):
    """Run it over a tree of one file; its lines without the folder."""
    path = tmp_path / "src" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    done = layers(tmp_path / "src")
    assert done.stderr == ""
    lines = [line.removeprefix(f"{tmp_path}/src/")
             for line in done.stdout.splitlines()]
    assert done.returncode == (1 if lines else 0)
    return lines


def test_our_own_tree():
    done = layers()
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize("name, include", [
    ("main.c", '"cmd/cmd.h"'),
    ("cmd/serve.c", '"lab/lab.h"'),
    ("lab/lab.c", '"server/config.h"'),
    ("lab/lab.c", '"sim/device.h"'),
    ("server/config.c", '"server/config.h"'),
    ("server/config.h", '"base/addr.h"'),
    ("provision/decide.c", '"inventory/inventory.h"'),
    ("spa/peer.c", '"pki/cert.h"'),
    ("spa/registry/table.c", '"spa/registry.h"'),
    ("tls/conn.c", "<openssl/ssl.h>"),
    ("tls/verify.c", "<openssl/x509_vfy.h>"),
    ("pki/cert.c", "<openssl/x509v3.h>"),
    ("pki/cert.c", "<openssl/pem.h>"),
    ("base/error.c", "<openssl/err.h>"),
    ("inventory/sqlite.c", "<sqlite3.h>"),
    ("server/worker.c", "<uv.h>"),
    ("http/request.c", "<llhttp.h>"),
    ("base/text.c", "<sys/stat.h>"),
    ("base/text.c", '"third_party/x/x.h"'),
    ("third_party/x/x.c", '"anything.h"'),
])
def test_allowed(tmp_path, name, include):
    assert check(tmp_path, name, f"#include {include}\n") == []


@pytest.mark.parametrize("name, include, rule", [
    ("base/text.c", '"http/url.h"', "base is below http"),
    ("base/text.c", "<server/config.h>", "base is below server"),
    ("http/url.c", '"pki/cert.h"', "http is below pki"),
    ("pki/cert.c", '"tls/conn.h"', "pki is below tls"),
    ("tls/conn.c", '"spa/peer.h"', "tls is below spa"),
    ("spa/peer.c", '"provision/template.h"', "spa is below provision"),
    ("provision/a.c", '"server/config.h"', "provision is below server"),
    ("server/config.c", '"lab/lab.h"', "server is below lab"),
    ("lab/lab.c", '"cmd/cmd.h"', "lab is below cmd"),
    ("spa/peer.c", '"inventory/inventory.h"',
     "spa and inventory may not include each other"),
    ("server/a.c", '"sim/device.h"',
     "server and sim may not include each other"),
    ("dashboard/a.c", '"server/config.h"',
     "dashboard and server may not include each other"),
    ("server/a.c", "<openssl/ssl.h>", "openssl/ssl.h is for tls only"),
    ("pki/a.c", "<openssl/ssl.h>", "openssl/ssl.h is for tls only"),
    ("spa/a.h", "<openssl/x509.h>",
     "openssl/x509*.h is for pki and tls only"),
    ("sim/a.c", "<openssl/x509v3.h>",
     "openssl/x509*.h is for pki and tls only"),
    ("lab/a.c", "<openssl/pem.h>", "openssl/pem.h is for pki and tls only"),
    ("server/a.c", "<sqlite3.h>", "sqlite3.h is for inventory only"),
    ("sim/a.c", "<uv.h>", "uv.h is for server and admin only"),
    ("server/a.c", '"llhttp.h"', "llhttp.h is for http only"),
    ("base/a.c", '"text.h"',
     "an include in quotes names a folder of the layers"),
    ("base/a.c", '"../http/url.h"', "an include names its folder, without .."),
    ("base/a.c", "HEADER", "an include names its header, no macro"),
])
def test_refused(tmp_path, name, include, rule):
    text = f"/* head */\n\n  #  include {include} /* why */\nint x;\n"
    assert check(tmp_path, name, text) == [f"{name}:3: {rule}"]


def test_unknown_folder(tmp_path):
    assert check(tmp_path, "misc/a.c", "") == \
        ["misc/a.c:1: misc has no place in the layers"]


def test_comments_and_continued_lines(tmp_path):
    text = ('/*\n#include "http/url.h"\n*/\n// #include "http/url.h"\n'
            '#define A \\\n  1\n#include \\\n  "http/url.h"\n'
            '#include "pki/key.h"\n')
    assert check(tmp_path, "base/a.c", text) == [
        "base/a.c:7: base is below http",
        "base/a.c:9: base is below pki",
    ]


def test_usage(tmp_path):
    for args in [("--help",), ("a", "b")]:
        done = layers(*args)
        assert done.returncode == 2
        assert done.stderr == "usage: tools/layers [SRC]\n"
    done = layers(tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr == f"layers: {tmp_path}/none: no such folder\n"


def test_no_name_of_ours_is_exported():
    """A library would take it for its own of the same name."""
    done = subprocess.run(["nm", "-D", "--defined-only", str(BINARY)],
                          capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines()
            if line.split()[1] == "T"] == []
