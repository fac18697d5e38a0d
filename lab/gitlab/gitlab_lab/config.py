"""What gitlab.rb means for this node: its services and the settings they need."""

from gitlab_lab import gitlab_rb

ROLE_SERVICES = {
    "application_role": ["puma", "gitlab-workhorse", "nginx", "sidekiq", "gitaly"],
    "sidekiq_role": ["sidekiq"],
    "postgres_role": ["postgresql"],
    "gitaly_role": ["gitaly"],
    "redis_master_role": ["redis"],
    "geo_secondary_role": ["geo-postgresql", "geo-logcursor"],
    "geo_primary_role": [],
}
SECTIONS = {
    "puma": "puma",
    "gitlab_workhorse": "gitlab-workhorse",
    "nginx": "nginx",
    "sidekiq": "sidekiq",
    "gitaly": "gitaly",
    "postgresql": "postgresql",
    "redis": "redis",
    "geo_postgresql": "geo-postgresql",
    "geo_logcursor": "geo-logcursor",
    "logrotate": "logrotate",
}


class Config:
    """The settings of one node. `get` takes a section of gitlab.rb and a key."""

    def __init__(self, settings):
        self.settings = settings
        roles = settings.get("roles", [])
        self.roles = [roles] if isinstance(roles, str) else roles
        for role in self.roles:
            if role not in ROLE_SERVICES:
                raise gitlab_rb.ConfigError(f"The following invalid roles have been set in 'roles': {role}")
        self.services = self._services()

    @classmethod
    def load(cls):
        return cls(gitlab_rb.load())

    def get(self, section, key, default=None):
        values = self.settings.get(section)
        value = values.get(key) if isinstance(values, dict) else None
        return default if value is None else value

    def _services(self):
        enabled = {"logrotate"}
        for role in self.roles:
            enabled.update(ROLE_SERVICES[role])
        for section, service in SECTIONS.items():
            wanted = self.get(section, "enable")
            if wanted is True:
                enabled.add(service)
            elif wanted is False:
                enabled.discard(service)
        return sorted(enabled)

    @property
    def external_url(self):
        return self.settings.get("external_url", "http://localhost")

    @property
    def geo_node_name(self):
        """The name a node looks for in `geo_nodes`: without a setting it is the URL."""
        return self.get("gitlab_rails", "geo_node_name") or self.external_url

    @property
    def has_rails(self):
        """Whether the node can run Rails: PostgreSQL nodes can, Gitaly and Redis nodes cannot."""
        if self.get("gitlab_rails", "enable") is False:
            return False
        return bool({"puma", "sidekiq", "geo-logcursor", "postgresql"} & set(self.services))

    @property
    def gitaly_address(self):
        storage = self.settings.get("git_data_dirs", {}).get("default", {})
        return storage.get("gitaly_address", "")
