"""sprov profile encrypt and decrypt, against OpenSSL's own command line."""

import gzip
import json
import os
import stat
import subprocess

import pytest

TEXT = (b"<flat-profile>\n  <Profile_Rule>https://prov.example.net/spa$MA.cfg"
        b"</Profile_Rule>\n</flat-profile>\n")
KEY = "SecretPhrase1234"


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    return path


@pytest.fixture
def run(tmp_path):
    """Run sprov profile with bytes in and out."""
    def run(*args, data=b"", status=0):
        done = subprocess.run([os.environ["SPROV"], "profile", *map(str, args)],
                              input=data, capture_output=True, cwd=tmp_path,
                              check=False)
        assert done.returncode == status, done.stderr.decode()
        return done.stdout, done.stderr.decode()
    return run


def openssl(data, *args, key=KEY):
    done = subprocess.run(["openssl", "enc", "-aes-256-cbc", "-k", key, *args],
                          input=data, capture_output=True, check=True)
    return done.stdout


@pytest.mark.parametrize("how", ["aes", "gzip+aes"])
def test_openssl_opens_what_we_encrypt(run, key, how):
    packed, _ = run("encrypt", "-k", key, "-p", how, data=TEXT)
    text = openssl(packed, "-d", "-md", "md5")
    assert (gzip.decompress(text) if "gzip" in how else text) == TEXT
    assert run("decrypt", "--key", f"@{key}", data=packed)[0] == TEXT
    again, _ = run("encrypt", "-k", key, "-p", how, data=TEXT)
    assert again != packed  # another salt


def test_we_open_what_openssl_encrypts(run, key):
    packed = openssl(gzip.compress(TEXT), "-md", "md5")
    assert run("decrypt", "-k", key, data=packed) == (TEXT, "")


@pytest.mark.parametrize("how", ["aes128gcm", "gzip+aes128gcm"])
def test_aes128gcm(run, key, tmp_path, how):
    packed, _ = run("encrypt", "-k", key, "-p", how, "--keyid", "a1b2",
                    data=TEXT)
    assert packed[20:25] == b"\x04a1b2"
    run("decrypt", "-k", key, "-o", "out.xml", "--json", data=packed)
    assert (tmp_path / "out.xml").read_bytes() == TEXT
    assert stat.S_IMODE((tmp_path / "out.xml").stat().st_mode) == 0o600
    value = json.loads(run("decrypt", "-k", key, "-o", "out.xml", "--json",
                           data=packed)[0])
    assert value["cipher"] == "aes128gcm" and value["keyid"] == "a1b2"
    assert value["gzip"] == ("gzip" in how)
    assert value["devices_can_read_it"] is True


@pytest.mark.parametrize("options, word", [
    (["-md", "sha256"], "-md sha256"),
    (["-pbkdf2"], "-pbkdf2"),
])
def test_wrong_digest_is_said(run, key, options, word):
    text, said = run("decrypt", "-k", key, data=openssl(TEXT, *options),
                     status=3)
    assert text == TEXT
    assert word in said and "make it with -md md5" in said


def test_base64_is_said(run, key):
    packed = openssl(TEXT * 20, "-md", "md5", "-a")
    text, said = run("decrypt", "-k", key, data=packed, status=3)
    assert text == TEXT * 20
    assert "base64" in said


def test_wrong_key_is_said(run, tmp_path):
    other = tmp_path / "other"
    other.write_text("SecretPhrase1235")
    text, said = run("decrypt", "-k", other, data=openssl(TEXT, "-md", "md5"),
                     status=1)
    assert text == b"" and "wrong key" in said
    assert "SecretPhrase" not in said


def test_not_encrypted(run, key):
    text, said = run("decrypt", data=gzip.compress(TEXT))
    assert text == TEXT and "only compressed" in said
    text, said = run("decrypt", "-k", key, data=TEXT)
    assert text == TEXT and "not encrypted" in said


def test_key_is_needed(run, key):
    assert "key is needed" in run("decrypt", data=openssl(TEXT, "-md", "md5"),
                                  status=1)[1]
    assert "needs a key" in run("encrypt", data=TEXT, status=2)[1]
    assert "on the command line" in run("encrypt", "-k", KEY, data=TEXT,
                                        status=1)[1]
    key.write_text("\n")
    assert "1 to 255" in run("encrypt", "-k", key, data=TEXT, status=1)[1]


def test_refused_inputs(run, key):
    packed = openssl(TEXT, "-md", "md5")
    assert "already" in run("encrypt", "-k", key, data=packed, status=1)[1]
    assert "empty" in run("encrypt", "-k", key, status=1)[1]
    assert "empty" in run("decrypt", "-k", key, status=1)[1]
    assert "did you mean" in run("encrypt", "-k", key, "-p", "gzipaes",
                                 data=TEXT, status=1)[1]
    assert "cut off" in run("decrypt", "-k", key, data=packed[:-1],
                            status=1)[1]
    bomb = gzip.compress(b"\0" * 20_000_000)
    assert "allowed" in run("decrypt", data=bomb, status=1)[1]
    assert "longer" in run("decrypt", data=b"x" * 9_000_000, status=1)[1]
    assert "--output" in run("decrypt", "--json", data=TEXT, status=2)[1]


def test_compressed_once(run, key):
    packed, _ = run("encrypt", "-k", key, data=gzip.compress(TEXT))
    assert gzip.decompress(openssl(packed, "-d", "-md", "md5")) == TEXT


def test_key_that_does_not_fit_a_rule(run, key):
    key.write_text('two words')
    assert "bare" in run("encrypt", "-k", key, data=TEXT)[1]
