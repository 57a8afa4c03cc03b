"""gevent, with gevent-websocket: a greenlet for each connection, on one OS thread.

Started as all measured servers are: gevent_server.py SERVICE --port P --workers N [--reuse-port]
"""

import argparse
import json
import platform
import socket
import time
from importlib.metadata import version

import gevent
from gevent.pywsgi import WSGIServer
from gevent.server import StreamServer
from geventwebsocket.exceptions import WebSocketError
from geventwebsocket.handler import WebSocketHandler

BUFFER = 8 << 10


def serve_tcp_echo(listener):
    def handle(stream, _address):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := stream.recv(BUFFER):
            stream.sendall(data)

    StreamServer(listener, handle).serve_forever()


def serve_http(listener):
    WSGIServer(listener, answer, log=None).serve_forever()


def answer(environ, start_response):
    path = environ["PATH_INFO"]
    content_type, body = "text/plain", b"Hello, World!"
    if path == "/json":
        content_type = "application/json"
        body = json.dumps({"message": "Hello, World!"}, separators=(",", ":")).encode()
    elif path == "/wait":
        gevent.sleep(0.010)
    elif path == "/compute":
        end = time.perf_counter() + 0.050
        while time.perf_counter() < end:
            pass
    elif path != "/plaintext":
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def serve_websocket(listener, handle):
    """Runs `handle(path, websocket)` for each connection."""

    def application(environ, _start_response):
        try:
            handle(environ["PATH_INFO"], environ["wsgi.websocket"])
        except WebSocketError:
            pass  # The client has gone.
        return []

    WSGIServer(listener, application, handler_class=WebSocketHandler, log=None).serve_forever()


def messages(websocket):
    while (message := websocket.receive()) is not None:
        yield message


def echo(_path, websocket):
    for message in messages(websocket):
        websocket.send(message)


def broadcast():
    feeds = set()

    def handle(path, websocket):
        if path == "/publish":
            for message in messages(websocket):
                publish(message)
            return
        feeds.add(websocket)
        try:
            for _ in messages(websocket):
                pass
        finally:
            feeds.discard(websocket)

    def publish(message):
        for feed in list(feeds):
            try:
                feed.send(message)
            except WebSocketError:
                feeds.discard(feed)

    return handle


SERVICES = {
    "tcp-echo": serve_tcp_echo,
    "http": serve_http,
    "websocket-echo": lambda listener: serve_websocket(listener, echo),
    "broadcast": lambda listener: serve_websocket(listener, broadcast()),
}


def listen(port, reuse_port):
    listener = gevent.socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(2**31 - 1)
    return listener


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=SERVICES, nargs="?")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="ignored: there is one thread")
    parser.add_argument("--reuse-port", action="store_true")
    parser.add_argument("--version", action="store_true")
    arguments = parser.parse_args()
    if arguments.version:
        packages = ", ".join(f"{name} {version(name)}" for name in ["gevent", "gevent-websocket"])
        print(f"{packages}, {platform.python_implementation()} {platform.python_version()}")
        return
    if arguments.service is None:
        parser.error("which service?")
    listener = listen(arguments.port, arguments.reuse_port)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    SERVICES[arguments.service](listener)


if __name__ == "__main__":
    main()
