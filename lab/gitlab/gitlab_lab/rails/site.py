"""Which site this is, and whether it is the primary, as Rails finds out: by its name in `geo_nodes`."""

import time

from gitlab_lab.rails import settings


class Site:
    """The rows of `geo_nodes`, cached for a second in long-running processes."""

    def __init__(self, main, cache=0.0):
        self.main = main
        self.name = settings.node_name()
        self.cache = cache
        self._rows = []
        self._until = 0.0

    def rows(self):
        now = time.monotonic()
        if now >= self._until:
            self._rows = self.main.read('SELECT id, name, url, "primary", enabled, access_key FROM geo_nodes ORDER BY id')
            self._until = now + self.cache
        return self._rows

    def own(self):
        return next((row for row in self.rows() if row["name"] == self.name), None)

    def primary(self):
        return next((row for row in self.rows() if row["primary"]), None)

    def role(self):
        own = self.own()
        if own is None:
            return "misconfigured"
        return "primary" if own["primary"] else "secondary"
