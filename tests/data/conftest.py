"""Data sets small enough to build in a test, and a web server for downloads."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from ceteris.data.idx import Payload
from ceteris.data.mnist import PARTS, IdxSource
from ceteris.errors import CeterisError

FILES = {
    "train_x": "train-images-idx3-ubyte",
    "train_y": "train-labels-idx1-ubyte",
    "test_x": "t10k-images-idx3-ubyte",
    "test_y": "t10k-labels-idx1-ubyte",
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """Keep the tests away from the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def no_data_folder(monkeypatch):
    monkeypatch.delenv("CETERIS_DATA", raising=False)


@pytest.fixture
def real_data() -> Path:
    """The folder with the real MNIST and Fashion-MNIST rows."""
    folder = os.environ.get("CETERIS_DATA")
    if not folder:
        pytest.skip("CETERIS_DATA names no folder with the real rows")
    return Path(folder)


def idx_bytes(array: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def contents() -> dict[str, bytes]:
    """The decompressed files of a data set of 40 training and 10 test images of 3 x 3 in 2 classes."""
    return {
        "train_x": idx_bytes(np.arange(360).reshape(40, 3, 3) % 256),
        "train_y": idx_bytes(np.arange(40) % 2),
        "test_x": idx_bytes(np.arange(90).reshape(10, 3, 3)),
        "test_y": idx_bytes(np.arange(10) % 2),
    }


@pytest.fixture
def tiny(contents, no_data_folder) -> IdxSource:
    """An IDX source without mirrors whose files are ``contents``."""
    payloads = {
        part: Payload(FILES[part], len(contents[part]), hashlib.md5(contents[part]).hexdigest())
        for part in PARTS
    }
    return IdxSource(
        name="tiny",
        description="tiny images",
        payloads=payloads,
        mirrors=(),
        classes=("even", "odd"),
        default_validation=10,
        aliases=("Tiny/raw",),
    )


def write_files(folder: Path, contents: dict[str, bytes], *, compress: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part, content in contents.items():
        name = FILES[part] + (".gz" if compress else "")
        (folder / name).write_bytes(gzip.compress(content) if compress else content)
    return folder


def refusal(call: Callable[[], object]) -> str | None:
    """Return the words with which ``call`` is refused, or None; other errors pass through."""
    try:
        call()
    except CeterisError as error:
        return str(error)
    return None


class Server:
    """Files by path on 127.0.0.1; ``asked`` lists the paths that were asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                body = server.files.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if self.path in server.broken else body)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=lambda: self._http.serve_forever(poll_interval=0.01), daemon=True
        )
        self._thread.start()

    def url(self, folder: str) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/{folder}/"

    def add(self, folder: str, contents: dict[str, bytes]) -> str:
        for part, content in contents.items():
            self.files[f"/{folder}/{FILES[part]}.gz"] = gzip.compress(content)
        return self.url(folder)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()
