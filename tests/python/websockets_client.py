"""The story of tests/websocket_clients.rs for Python's `websockets`.

    python websockets_client.py HOST:PORT [CERTIFICATE]

With a certificate to trust it is over TLS. In one thread: Python's `ssl`, in 3.11 at least, is not made for two that use
one connection at once, and the client for threads does; now and then its first request never leaves.
"""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ADDRESS, *CERTIFICATE = sys.argv[1:]
TLS = ssl.create_default_context(cafile=CERTIFICATE[0]) if CERTIFICATE else None
SIZES = [0, 1, 125, 126, 65_535, 65_536, 300_000]


async def talk(path, compression):
    url = f"{'wss' if TLS else 'ws'}://{ADDRESS}/{path}"
    async with connect(url, ssl=TLS, compression=compression, subprotocols=["echo"], open_timeout=20) as ws:
        assert ws.subprotocol == "echo"
        extensions = [extension.name for extension in ws.protocol.extensions]
        agreed = compression and path != "plain"
        assert extensions == (["permessage-deflate"] if agreed else []), extensions

        for size in SIZES:
            data = bytes((i * i >> 3) & 255 for i in range(size))
            await ws.send(data)
            assert await soon(ws.recv()) == data, f"{size} bytes at /{path}"
            await ws.send("ä" * size)
            assert await soon(ws.recv()) == "ä" * size

        await ws.send(["in ", "three ", "fragments"])
        assert await soon(ws.recv()) == "in three fragments"
        await soon(await ws.ping("now"))
        await ws.send("close")
        try:
            await soon(ws.recv())
        except ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (4001, "as you wish"), closed
        else:
            raise AssertionError("not closed")


async def soon(what):
    return await asyncio.wait_for(what, 20)


async def main():
    for path in ["plain", "shared", "dedicated"]:
        for compression in [None, "deflate"]:
            await talk(path, compression)


asyncio.run(main())
