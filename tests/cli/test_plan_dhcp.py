"""sprov plan --dhcp: read by the very servers that it is for."""

import json
import subprocess

import pytest

FLEET = """\
mac,model,firmware
000e08aabb01,SPA504G,7.5.6
000e08aabb02,SPA504G,7.5.4
000e08aabb03,SPA962,6.1.5(a)
000e08aabb04,SPA112,1.3.3
000e08aabb05,CP-8841-3PCC,12.0(3)
000e08aabb06,ATA191-MPP,11.2(4)
000e08aabb07,PAP2T,
000e08aabb08,SPA8000,
"""
RULE = "https://prov.example.net/spa$MA.cfg"
OTHER = "https://prov.example.net:3443/spa$MA.cfg"


@pytest.fixture
def plan(sprov, tmp_path):
    (tmp_path / "fleet.csv").write_text(FLEET)

    def run(kind, *options):
        result = sprov("plan", "--csv", "fleet.csv", "--host",
                       "prov.example.net", "--hold", "sipura-prov-1",
                       "--dhcp", kind, *options)
        assert result.status == 3  # the SPA8000 is left out
        return result.out

    return run


def accepts(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True,
                          encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)


@pytest.fixture
def read(tmp_path):
    """Does that server understand it?  What it was given."""
    def isc(out):
        path = tmp_path / "dhcpd.conf"
        path.write_text(out + "subnet 192.0.2.0 netmask 255.255.255.0 {}\n")
        accepts("/usr/sbin/dhcpd", "-t", "-cf", path, "-lf",
                tmp_path / "leases")

    def kea(out):
        path = tmp_path / "kea.json"
        path.write_text(out)
        accepts("/usr/sbin/kea-dhcp4", "-t", path)

    def dnsmasq(out):
        path = tmp_path / "dnsmasq.conf"
        path.write_text(out)
        accepts("/usr/sbin/dnsmasq", "--test", "-C", path)

    return {"isc": isc, "kea": kea, "dnsmasq": dnsmasq}


def test_isc(plan, read):
    out = plan("isc")
    assert 'option vendor-class-identifier = "LINKSYS SPA-962"' in out
    assert '    option tftp-server-name "%s";\n' % RULE in out
    read["isc"](out)


def kea_classes(out):
    text = "\n".join(line for line in out.splitlines()
                     if not line.startswith("//"))
    return {one["name"]: one for one
            in json.loads(text)["Dhcp4"]["client-classes"]}


def test_kea(plan, read):
    out = plan("kea")
    read["kea"](out)
    classes = kea_classes(out)
    assert set(classes) == {"sipura-prov-1", "ciscosb-prov-2"}
    assert "option[60].text == 'CISCO ATA191-MPP'" == \
        classes["ciscosb-prov-2"]["test"]
    assert {row["data"] for row in classes["ciscosb-prov-2"][
        "option-data"]} == {OTHER}


def test_dnsmasq(plan, read):
    out = plan("dnsmasq")
    read["dnsmasq"](out)
    assert "dhcp-vendorclass=set:sipura-prov-1,Cisco SPA504G\n" in out
    assert 'dhcp-option=tag:sipura-prov-1,66,"%s"\n' % RULE in out
    assert 'dhcp-option=tag:ciscosb-prov-2,160,"%s"\n' % OTHER in out


BOOTSTRAPS = ["192.0.2.1", "tftp.example.net", "2001:db8::1",
              "http://192.0.2.1:8080/spa$PSN.cfg",
              "tftp://192.0.2.1:6969/spa$PSN.cfg"]


@pytest.mark.parametrize("where", BOOTSTRAPS)
def test_bootstrap(plan, read, where):
    """Who is left out is led to TFTP or to plain HTTP."""
    for kind, check in read.items():
        check(plan(kind, "--bootstrap", where))
    found = kea_classes(plan("kea", "--bootstrap", where))["bootstrap"]
    assert found["test"] == "option[60].text == 'LINKSYS SPA8000'"
    options = {row["name"]: row["data"] for row in found["option-data"]}
    expected = {"tftp-server-name": where}
    if "://" in where:
        expected["provisioning-url"] = where
    if where == "192.0.2.1":
        expected["tftp-servers"] = where
    assert options == expected
    out = plan("dnsmasq", "--bootstrap", where)
    assert 'dhcp-option=tag:bootstrap,66,"%s"\n' % where in out
    assert ("dhcp-option=tag:bootstrap,150," in out) == (where == "192.0.2.1")
    assert "SPA8000: no listener takes it" not in out
    # What is not known to the class is not led by it.
    assert "# PAP2T: its option 60 is not known" in out


def test_all(plan, read):
    out = plan("all", "--bootstrap", "192.0.2.1")
    isc, _, rest = out.partition("\n// Kea: kea-dhcp4.conf\n\n")
    kea, _, dnsmasq = rest.partition("\n# dnsmasq: dnsmasq.conf\n\n")
    assert isc.startswith("# ISC dhcpd: dhcpd.conf\n\n")
    for kind, text in (("isc", isc), ("kea", kea), ("dnsmasq", dnsmasq)):
        read[kind](text)
        assert text.endswith(plan(kind, "--bootstrap", "192.0.2.1"))


def test_json(plan):
    """With the source of each string."""
    found = json.loads(plan("all", "--json", "--bootstrap", "192.0.2.1"))
    classes = {one["name"]: one for one in found["classes"]}
    assert set(classes) == {"sipura-prov-1", "ciscosb-prov-2", "bootstrap"}
    assert classes["bootstrap"]["options"] == {"66": "192.0.2.1",
                                               "150": "192.0.2.1"}
    assert classes["sipura-prov-1"]["options"] == {"66": RULE, "160": RULE}
    models = {one["model"]: one
              for row in found["classes"] for one in row["models"]}
    assert models["SPA504G"]["vendor_classes"] == [
        {"text": "Cisco SPA504G", "source": "WAZO"},
        {"text": "Cisco Systems, Inc. IP Phone SPA504G", "source": "WAZO"}]
    assert models["CP-8841-3PCC"]["vendor_classes"][0]["source"] == "ASSUMED"
    assert found["without"] == [
        {"model": "PAP2T", "vendor_classes": [], "split": False}]
    without = json.loads(plan("isc", "--json"))["without"]
    assert {row["model"] for row in without} == {"PAP2T", "SPA8000"}


def test_name_within_a_name(sprov, tmp_path):
    """dnsmasq looks for a text: SPA525G is in SPA525G2, too."""
    (tmp_path / "fleet.csv").write_text(
        "mac,model,firmware\n000e08aabb01,SPA525G,7.4.9c\n"
        "000e08aabb02,SPA525G2,7.6.2f\n")
    told = sprov("plan", "--csv", "fleet.csv", "--host", "prov.example.net",
                 "--without", "gone", "--dhcp", "dnsmasq", "--bootstrap",
                 "192.0.2.1")
    lines = told.out.splitlines()
    at = lines.index("dhcp-vendorclass=set:bootstrap,Cisco SPA525G")
    assert lines[at + 1] == ("# the line above matches the SPA525G2, too, "
                             "which is to go elsewhere"), told.out
    assert not lines[lines.index(
        "dhcp-vendorclass=set:ciscosb-prov-2,Cisco SPA525G2") + 1] \
        .startswith("#")


@pytest.mark.parametrize("kind, comment", [("isc", "#"), ("kea", "//"),
                                           ("dnsmasq", "#")])
def test_remarks(plan, kind, comment):
    """What DHCP cannot tell, and who is left out."""
    out = plan(kind)
    assert comment + " PAP2T: its option 60 is not known" in out
    assert comment + " SPA8000: no listener takes it" in out


def test_split_model(sprov, tmp_path):
    """Two firmware versions, two CAs, one vendor class."""
    (tmp_path / "fleet.csv").write_text(
        "mac,model,firmware\n000e08aabb01,SPA504G,7.5.4\n"
        "000e08aabb02,SPA504G,7.5.4\n000e08aabb03,ATA191-MPP,11.2(4)\n"
        "000e08aabb04,SPA504G,7.5.6\n")
    out = sprov("plan", "--csv", "fleet.csv", "--host", "prov.example.net",
                "--dhcp", "isc").out
    assert out.count("Cisco SPA504G") == 1


def test_mistakes(sprov):
    result = sprov("plan", "--dhcp", "bind")
    assert result.status == 2
    assert "--dhcp bind: expected isc, kea, dnsmasq or all" in result.err
    result = sprov("plan", "--dhcp", "isc", "--rules")
    assert result.status == 2 and "exclude each other" in result.err
    result = sprov("plan", "--bootstrap", "192.0.2.1")
    assert result.status == 2 and "goes with --dhcp" in result.err


@pytest.mark.parametrize("where", [
    "", 'a"b', "a b", "a,b", "x" * 256, "a\nb", "a'b", "a\\b", "ftp://h/x",
    "http://h:99999/x"])
def test_bad_bootstrap(sprov, where):
    result = sprov("plan", "--dhcp", "isc", "--bootstrap", where)
    assert result.status == 2 and "--bootstrap" in result.err
