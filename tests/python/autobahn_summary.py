"""autobahn_summary.py END FOLDER: one line on Autobahn's report in FOLDER; fails unless all is well.

All is well when 514 cases of 517 are OK and closed as they should, and three are informational for everybody.
"""
import collections
import json
import sys

end, folder = sys.argv[1:]
with open(folder + "/index.json") as file:
    cases = json.load(file)["greenwire"]
behaviours = collections.Counter(case["behavior"] for case in cases.values())
print("Autobahn, %s: %s of %d cases" % (
    end, ", ".join("%d %s" % (n, name) for name, n in behaviours.most_common()), len(cases)))
fine = {"OK", "INFORMATIONAL"}
bad = [name for name, case in cases.items() if not {case["behavior"], case["behaviorClose"]} <= fine]
if bad:
    print("  not as they should: " + " ".join(sorted(bad)))
sys.exit(bool(bad) or behaviours["OK"] != 514 or len(cases) != 517)
