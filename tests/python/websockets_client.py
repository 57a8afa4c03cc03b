"""The story of tests/websocket_clients.rs for Python's `websockets`.

    python websockets_client.py HOST:PORT [CERTIFICATE]

With a certificate to trust it is over TLS.
"""

import ssl
import sys

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

ADDRESS, *CERTIFICATE = sys.argv[1:]
TLS = ssl.create_default_context(cafile=CERTIFICATE[0]) if CERTIFICATE else None
SIZES = [0, 1, 125, 126, 65_535, 65_536, 300_000]


def talk(path, compression):
    url = f"{'wss' if TLS else 'ws'}://{ADDRESS}/{path}"
    with connect(url, ssl=TLS, compression=compression, subprotocols=["echo"], open_timeout=20) as ws:
        assert ws.subprotocol == "echo"
        extensions = [extension.name for extension in ws.protocol.extensions]
        agreed = compression and path != "plain"
        assert extensions == (["permessage-deflate"] if agreed else []), extensions

        for size in SIZES:
            data = bytes((i * i >> 3) & 255 for i in range(size))
            ws.send(data)
            assert ws.recv(timeout=20) == data, f"{size} bytes at /{path}"
            ws.send("ä" * size)
            assert ws.recv(timeout=20) == "ä" * size

        ws.send(["in ", "three ", "fragments"])
        assert ws.recv(timeout=20) == "in three fragments"
        assert ws.ping("now").wait(20), "a pong"
        ws.send("close")
        try:
            ws.recv(timeout=20)
        except ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (4001, "as you wish"), closed
        else:
            raise AssertionError("not closed")


for path in ["plain", "shared", "dedicated"]:
    for compression in [None, "deflate"]:
        talk(path, compression)
