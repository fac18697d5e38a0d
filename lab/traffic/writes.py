"""Numbered writes through the site that users are sent to. A number is tried once: what was not
acknowledged may or may not be there, and is no loss."""

import http.client
import json
import time
import urllib.error
import urllib.request

from traffic import logs


# The sites are on this machine: a proxy that its owner uses for the world must not come between.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


BURST = 1_000_000_000       # numbers above are those of `load burst`, so that the two never meet


def tried(folder):
    return [int(record[3]) for name, fields in (("acked", 4), ("refused", 5)) for record in logs.read(folder / f"{name}-writes.log", fields)]


class Writer:
    def __init__(self, folder, destination, rate):
        self.destination = destination
        self.pause = 1.0 / rate
        self.acknowledged = logs.Log(folder / "acked-writes.log")
        self.refused = logs.Log(folder / "refused-writes.log")
        self.number = max([number for number in tried(folder) if number < BURST], default=0)

    def run(self, stopping):
        due = time.monotonic()
        while not stopping.is_set():
            self.number += 1
            site = self.destination.site()
            reason = self.send(site, self.number)
            if reason is None:
                self.acknowledged.add(site, self.number)
            else:
                self.refused.add(site, self.number, reason)
            due = max(due + self.pause, time.monotonic() - 1)
            stopping.wait(max(0.02, due - time.monotonic()))

    def send(self, site, number):
        """None when the site acknowledged the write, otherwise why not."""
        request = urllib.request.Request(
            self.destination.url(site) + "/lab/writes", data=json.dumps({"number": number}).encode(),
            headers={"Content-Type": "application/json"}, method="POST")
        try:
            with DIRECT.open(request, timeout=4) as answer:
                good = answer.status == 201 and json.loads(answer.read()).get("number") == number
                return None if good else f"HTTP {answer.status}"
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code} {error.read(120).decode(errors='replace').strip()}"
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"{type(error).__name__} {error}"
