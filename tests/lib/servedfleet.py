"""A simulated fleet, and a server that has it in its inventory."""

import shutil
import subprocess

from daemon import BINARY, ENVIRONMENT, Server, free_port, give_away


class ServedFleet:
    """count devices with profiles of 4000 bytes; the fleet is in F of the
    server's folder.  Configure and start self.server on self.port."""

    def __init__(self, count):
        self.count = count
        self.server = Server()
        self.folder = self.server.folder
        self.port = free_port()
        self.simulate("--setup", "--bytes", "4000")
        self.server.device("import", self.folder / "F" / "devices.csv")
        shutil.copy(self.folder / "F" / "templates" / "device.xml",
                    self.folder / "templates")
        for path in [self.folder / "F", *(self.folder / "F").rglob("*"),
                     *(self.folder / "templates").iterdir()]:
            give_away(path)

    def simulate(self, *arguments):
        done = subprocess.run(
            [str(BINARY), "simulate", "--fleet", str(self.count), "--folder",
             str(self.folder / "F"), *map(str, arguments)], env=ENVIRONMENT,
            capture_output=True, encoding="utf-8", timeout=120, check=False)
        assert done.returncode == 0, done
        return done.stdout

    def close(self):
        self.server.close()
