"""Runs Autobahn's wstest (Python 2.7): autobahn_wstest.py MESSAGES client|server URL.

`client` fuzzes the server at URL, `server` fuzzes clients that come to URL. Reports go into the folder `server`
or `client`, after the end that is tested. Of each compressed case MESSAGES are sent instead of 1,000.
"""
import json
import sys

messages, mode, url = int(sys.argv[1]), sys.argv[2], sys.argv[3]

from autobahntestsuite import wstest  # installs the reactor, so it comes first
from autobahntestsuite.case import case12_x_x

for case in case12_x_x.Case12_X_X + case12_x_x.Case13_X_X:
    case.COUNT = min(case.COUNT, messages)

spec = {"outdir": "server" if mode == "client" else "client", "cases": ["*"], "exclude-cases": [],
        "exclude-agent-cases": {}}
if mode == "client":
    spec["servers"] = [{"agent": "greenwire", "url": url}]
else:
    spec["url"] = url
with open(mode + ".json", "w") as file:
    json.dump(spec, file)
sys.argv = ["wstest", "-m", "fuzzing" + mode, "-s", mode + ".json", "-u", "0"]
wstest.run()
