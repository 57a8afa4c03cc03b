# The story of realtime/tests/socketio/clients.rs for python-socketio.
#
#   python socketio_client.py URL

import sys
import threading

import socketio

url = sys.argv[1]
TEXT = 'é € 😀 \u2028 "\\ \x01'


def story(transports):
    ann, ben = socketio.Client(reconnection=False), socketio.Client(reconnection=False)
    told, left = threading.Event(), threading.Event()
    heard = []
    ann.on("question", lambda number: number * 2)
    ann.on("left", lambda reason: (heard.append(reason), left.set()))
    ben.on("told", lambda *args: (heard.append(args), told.set()))
    welcome = threading.Event()
    ann.on("welcome", lambda name: welcome.set(), namespace="/game-8")
    ann.connect(url, transports=transports, auth={"token": "abc"}, namespaces=["/", "/game-8"], wait_timeout=20)
    ben.connect(url, transports=transports, wait_timeout=20)
    assert welcome.wait(20)

    auth, _, sid = ann.call("whoami", timeout=20)
    assert (auth, sid) == ({"token": "abc"}, ann.get_sid()), (auth, sid)
    values = (1, -1.5, "2", {"3": [True, None]}, [], TEXT, b"\x00\x01\xff")
    assert tuple(ann.call("echo", values, timeout=20)) == values
    assert ann.call("reverse", b"\x01\x02", timeout=20) == b"\x02\x01"
    assert ann.call("ask me", 21, timeout=20) == 42

    for client in (ann, ben):
        client.call("join", f"python {transports}", timeout=20)
    ann.emit("tell", (f"python {transports}", TEXT, b"\x05"))
    assert told.wait(20)
    ben.disconnect()
    assert left.wait(20)
    # It does not always say good-bye before it closes.
    assert heard in ([(TEXT, b"\x05"), "client namespace disconnect"], [(TEXT, b"\x05"), "transport close"]), heard
    ann.disconnect()


for transports in (["polling"], ["websocket"], ["polling", "websocket"]):
    story(transports)

try:
    socketio.Client(reconnection=False).connect(url, namespaces=["/no"], wait_timeout=20)
    raise AssertionError("let in")
except socketio.exceptions.ConnectionError as error:
    assert "/no" in str(error) or "Auth failed" in str(error), error
