"""Data at an address: an archive is downloaded once, checked by its hash, unpacked and read.

The archive is served by this program itself, so that the example needs no network.

python docs/examples/address.py
"""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import ceteris

ARCHIVE = Path("example-data") / "flats.zip"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ARCHIVE.parent)))
threading.Thread(target=server.serve_forever, daemon=True).start()

data = {
    "source": f"http://127.0.0.1:{server.server_port}/{ARCHIVE.name}#flats/flats.csv",
    "checksum": hashlib.sha256(ARCHIVE.read_bytes()).hexdigest(),
    "target": "rent",
    "ids": ["flat"],
    "target_scale": "standardize",
}
print(ceteris.run(ceteris.Experiment(data=data, model="linear", epochs=30), seeds=3))

wrong = {**data, "checksum": "0" * 64}
try:
    ceteris.run(ceteris.Experiment(data=wrong, model="linear", epochs=10), seeds=2)
except ceteris.CeterisError as error:
    print(f"With another checksum: {error}")
server.shutdown()
