"""What every peer speaks: it says its versions in one line, then answers each line it reads, a
request as JSON, with a line of JSON."""

import json
import sys


def serve(versions, answer):
    print(json.dumps({"versions": versions}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
