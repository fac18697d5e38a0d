"""The gitlab.rb of each kind of node, as an operator of such a site would have written it."""

import hashlib

PASSWORDS = {"db": "practice-db", "replication": "practice-replication", "tracking": "practice-tracking", "redis": "practice-redis"}
# No geo_primary_role and geo_secondary_role: those are for sites of one node (reference/gitlab-geo.md 1.1).
ROLES = {"rails": "application_role", "sidekiq": "sidekiq_role", "postgresql": "postgres_role", "gitaly": "gitaly_role", "redis": "redis_master_role"}
SWITCH = "## Geo: what this site needs while it is a secondary. `enable` is true then, and only then."


def md5_hash(user, password):
    """What `gitlab-ctl pg-password-md5 USER` prints."""
    return hashlib.md5(f"{password}{user}".encode()).hexdigest()


class _Site:
    def __init__(self, name, config):
        self.name = name
        self.url = config["sites"][name]["url"]
        self.nodes = config["sites"][name]["nodes"]
        secondary = name != config["primary"]
        self.is_secondary = "true" if secondary else "false"
        self.can_be_secondary = secondary or any("tracking-db" in node["components"] for node in self.nodes.values())
        self.net = config["net"]

    def address(self, component):
        return next((node["address"] for node in self.nodes.values() if component in node["components"]), "127.0.0.1")

    @property
    def cidrs(self):
        return f"['127.0.0.1/32', '10.{self.net}.0.0/16']"


def gitlab_rb(name, site, config):
    """The file of one node."""
    place = _Site(site, config)
    node = place.nodes[name]
    components = node["components"]
    parts = [
        f"## {name}: GitLab Geo site \"{site}\"",
        f"external_url '{place.url}'",
        "",
        "## The unique name of this site. Must be the same on all its nodes.",
        f"gitlab_rails['geo_node_name'] = '{site}'",
        "",
        "prometheus_monitoring['enable'] = false",
        "gitlab_kas['enable'] = false",
        "letsencrypt['enable'] = false",
        "",
    ]
    parts += _roles(components)
    if "postgresql" in components:
        parts += _postgresql(place, node)
    if {"rails", "sidekiq", "logcursor"} & set(components):
        parts += _rails(place, components)
    elif "postgresql" not in components:
        parts.append("gitlab_rails['enable'] = false")
    if "gitaly" in components:
        parts += _gitaly(node)
    if "redis" in components:
        parts += _redis(node)
    if "tracking-db" in components:
        parts += _tracking(place, node)
    return "\n".join(parts) + "\n"


def _roles(components):
    """One call of `roles`; a node of its own for each component has one role, a small site has several on its node."""
    roles = [role for component, role in ROLES.items() if component in components]
    if "rails" in components:
        # The role brings them along; on most nodes they have no business.
        unwanted = [f"{name}['enable'] = false" for name in ("sidekiq", "gitaly") if name not in components]
        return [f"roles {roles}", *unwanted]
    return [f"roles {roles}"] if roles else []


def _postgresql(place, node):
    return [
        f"postgresql['listen_address'] = '{node['address']}'",
        f"postgresql['md5_auth_cidr_addresses'] = {place.cidrs}",
        f"postgresql['sql_user_password'] = '{md5_hash('gitlab', PASSWORDS['db'])}'",
        "postgresql['sql_replication_user'] = 'gitlab_replicator'",
        f"postgresql['sql_replication_password'] = '{md5_hash('gitlab_replicator', PASSWORDS['replication'])}'",
        "postgresql['max_replication_slots'] = 3",
        "postgresql['shared_buffers'] = '32MB'",
        "gitlab_rails['auto_migrate'] = false",
        f"gitlab_rails['redis_host'] = '{place.address('redis')}'",
        f"gitlab_rails['redis_password'] = '{PASSWORDS['redis']}'",
    ]


def _rails(place, components):
    parts = [
        f"gitlab_rails['db_host'] = '{place.address('postgresql')}'",
        f"gitlab_rails['db_password'] = '{PASSWORDS['db']}'",
        f"gitlab_rails['redis_host'] = '{place.address('redis')}'",
        f"gitlab_rails['redis_password'] = '{PASSWORDS['redis']}'",
        "gitlab_rails['auto_migrate'] = false",
        "git_data_dirs({",
        f"  'default' => {{ 'gitaly_address' => 'tcp://{place.address('gitaly')}:8075' }}",
        "})",
    ]
    if place.can_be_secondary:
        parts += [
            "",
            SWITCH,
            f"geo_secondary['enable'] = {place.is_secondary}",
            f"geo_secondary['db_host'] = '{place.address('tracking-db')}'",
            f"geo_secondary['db_password'] = '{PASSWORDS['tracking']}'",
        ]
    if "logcursor" in components:
        parts.append(f"geo_logcursor['enable'] = {place.is_secondary}")
    return parts


def _gitaly(node):
    return [
        "gitaly['configuration'] = {",
        f"  listen_addr: '{node['address']}:8075',",
        "  storage: [",
        "    { name: 'default', path: '/var/opt/gitlab/git-data/repositories' },",
        "  ],",
        "}",
    ]


def _redis(node):
    return [
        f"redis['bind'] = '{node['address']}'",
        "redis['port'] = 6379",
        f"redis['password'] = '{PASSWORDS['redis']}'",
    ]


def _tracking(place, node):
    return [
        "",
        SWITCH,
        f"geo_postgresql['enable'] = {place.is_secondary}",
        f"geo_postgresql['listen_address'] = '{node['address']}'",
        f"geo_postgresql['md5_auth_cidr_addresses'] = {place.cidrs}",
        f"geo_postgresql['sql_user_password'] = '{md5_hash('gitlab_geo', PASSWORDS['tracking'])}'",
    ]
