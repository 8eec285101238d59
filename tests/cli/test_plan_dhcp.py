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

    def run(kind):
        result = sprov("plan", "--csv", "fleet.csv", "--host",
                       "prov.example.net", "--hold", "sipura-prov-1",
                       "--dhcp", kind)
        assert result.status == 3  # the SPA8000 is left out
        return result.out

    return run


def accepts(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True,
                          encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_isc(plan, tmp_path):
    out = plan("isc")
    assert 'option vendor-class-identifier = "LINKSYS SPA-962"' in out
    assert '    option tftp-server-name "%s";\n' % RULE in out
    path = tmp_path / "dhcpd.conf"
    path.write_text(out + "subnet 192.0.2.0 netmask 255.255.255.0 {}\n")
    accepts("/usr/sbin/dhcpd", "-t", "-cf", path, "-lf", tmp_path / "leases")


def test_kea(plan, tmp_path):
    out = plan("kea")
    path = tmp_path / "kea.json"
    path.write_text(out)
    accepts("/usr/sbin/kea-dhcp4", "-t", path)
    text = "\n".join(line for line in out.splitlines()
                     if not line.startswith("//"))
    classes = {one["name"]: one for one
               in json.loads(text)["Dhcp4"]["client-classes"]}
    assert set(classes) == {"sipura-prov-1", "ciscosb-prov-2"}
    assert "option[60].text == 'CISCO ATA191-MPP'" == \
        classes["ciscosb-prov-2"]["test"]
    assert {row["data"] for row in classes["ciscosb-prov-2"][
        "option-data"]} == {OTHER}


def test_dnsmasq(plan, tmp_path):
    out = plan("dnsmasq")
    path = tmp_path / "dnsmasq.conf"
    path.write_text(out)
    accepts("/usr/sbin/dnsmasq", "--test", "-C", path)
    assert "dhcp-vendorclass=set:sipura-prov-1,Cisco SPA504G\n" in out
    assert 'dhcp-option=tag:sipura-prov-1,66,"%s"\n' % RULE in out
    assert 'dhcp-option=tag:ciscosb-prov-2,160,"%s"\n' % OTHER in out


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
    assert "--dhcp bind: expected isc, kea or dnsmasq" in result.err
    result = sprov("plan", "--dhcp", "isc", "--json")
    assert result.status == 2 and "exclude each other" in result.err
