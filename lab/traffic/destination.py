"""Where users are sent: the site named in the lab's DNS file, read again before every request."""

from pathlib import Path


class Destination:
    def __init__(self, lab):
        self.file = Path(lab.state) / "dns"
        self.urls = {site: lab.url(site) for site in lab.sites}

    def site(self):
        try:
            name = self.file.read_text(encoding="utf-8").strip()
        except OSError:
            name = ""
        return name if name in self.urls else next(iter(self.urls))

    def url(self, site):
        return self.urls[site]
