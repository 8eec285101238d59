"""Servers that are not ours: nginx and openssl s_server, for one test each."""

import socket
import subprocess

from daemon import ENVIRONMENT, PATIENCE, free_port, wait_until


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A server in a folder of its own, until the end of a with."""

    def __init__(self, folder, arguments, port, **options):
        self.port = port
        self.log = open(folder / "server.log", "wb")
        self.process = subprocess.Popen(
            list(map(str, arguments)), stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL, cwd=folder, env=ENVIRONMENT, **options)

    def __enter__(self):
        wait_until(lambda: self.process.poll() is not None or
                   accepts(self.port), "a server at port %d" % self.port)
        assert self.process.poll() is None, "the server ended at once"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()


NGINX = """\
daemon off;
master_process off;
worker_processes 1;
error_log stderr;
pid nginx.pid;
events { worker_connections 256; }
http {
    access_log off;
    default_type text/xml;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {
        listen 127.0.0.1:%(port)d%(ssl)s;
        root .;
%(tls)s
%(directives)s
    }
}
"""

NGINX_TLS = """\
        ssl_certificate server.crt;
        ssl_certificate_key server.key;
        ssl_protocols %(protocols)s;
        ssl_ciphers %(ciphers)s;
"""


def nginx(folder, *, protocols="TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
          ciphers="ALL:@SECLEVEL=0", anchors=True, verify="optional_no_ca",
          directives="", tls=True):
    """server.crt, server.key and anchors.pem are in the folder."""
    text = NGINX_TLS % {"protocols": protocols, "ciphers": ciphers} \
        if tls else ""
    if anchors and tls:
        text += ("ssl_client_certificate anchors.pem;\n"
                 "ssl_verify_client %s;\nssl_verify_depth 3;\n" % verify)
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX % {
        "port": port, "ssl": " ssl" if tls else "", "tls": text,
        "directives": directives})
    return Process(folder, ["/usr/sbin/nginx", "-p", folder, "-e", "stderr",
                            "-c", folder / "nginx.conf"], port)


def s_server(folder, *options, ciphers="ALL:@SECLEVEL=0", anchors=True):
    """openssl s_server, which answers with the files of its folder."""
    port = free_port()
    _, *above = (folder / "server.crt").read_text().split(
        "-----END CERTIFICATE-----\n")[:-1]
    end = "-----END CERTIFICATE-----\n"
    (folder / "above.pem").write_text("".join(cert + end for cert in above))
    chain = ["-cert_chain", "above.pem"] if above else []
    asked = ["-verify", "3", "-CAfile", "anchors.pem"] if anchors else []
    return Process(folder, [
        "openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-quiet",
        "-cert", "server.crt", "-key", "server.key", *chain, "-cipher",
        ciphers, "-WWW", *asked, *options], port)
