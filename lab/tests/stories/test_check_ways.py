"""The same answers whichever way a node or its PostgreSQL is reached: the shell, a tunnel, PostgreSQL's own port, the
system's ssh, a jump host."""

import json
import re
import signal
import subprocess
from pathlib import Path

from support import Story, Tool, end, lab, until

SECRET = "look-only-7731"
# What moves by itself between two looks.
MOVING = {"at", "ageSeconds", "secondsSinceMessage", "secondsSinceLastReplay", "current", "received", "replayed", "latestEnd",
          "sent", "written", "flushed", "seconds", "transactions", "writing", "databaseBytes", "oldestSeconds",
          "retainedBytes"}


# What PostgreSQL is asked for.
TABLES = ("database", "server", "geo", "application", "projects", "settings", "accessRules", "tracking", "registryDetails", "projectRegistry")
# What is of the moment, or of the way itself: how long it took, clocks, free space, queues, who works at this moment.
PASSING = {"connection", "clockOffset", "disks", "queues", "machine"}


def pairs(value):
    """Swift writes a dictionary whose keys are not plain texts as a list of keys and values in turn."""
    return value if isinstance(value, dict) else dict(zip(value[::2], value[1::2]))


class Ways(Story):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-main")
        cls.tool = Tool(cls.lab)
        role = f"CREATE ROLE watcher LOGIN PASSWORD '{SECRET}' IN ROLE pg_monitor, pg_read_all_data"
        cls.lab.on("tokyo-pg-1", "gitlab-psql", "-c", role)
        cls.lab.on("seoul-geo-1", "gitlab-geo-psql", "-c", role)
        cls.lab.on("tokyo-pg-1", "gitlab-psql", "-c", "GRANT SELECT ON pg_hba_file_rules TO watcher;"
                   " GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO watcher")
        (cls.tool.state / "secret").write_text(SECRET + "\n")

    @classmethod
    def tearDownClass(cls):
        cls.lab.on("tokyo-pg-1", "gitlab-psql", "-c", "DROP OWNED BY watcher; DROP ROLE watcher")
        cls.lab.on("seoul-geo-1", "gitlab-geo-psql", "-c", "DROP ROLE watcher")

    def inventory(self, was, becomes):
        text = Path(self.lab.inventory).read_text()
        self.assertIn(was, text)
        path = self.tool.state / f"{self.id()}.yaml"
        path.write_text(text.replace(was, becomes))
        return path

    def database(self, words):
        return self.inventory("database: { via: shell }", f"database: {{ {words}, user: watcher, password: \"file:{self.tool.state}/secret\" }}")

    def ready(self, inventory):
        answer = until(lambda: (a := self.tool("check", "--inventory", inventory)).code in (0, 65) and a, what="a ready check", timeout=60)
        self.assertEqual(answer.code, 0, answer)
        self.assertNotIn(SECRET, answer.text)

    def facts(self, inventory):
        """Every fact of every node that one check saw, without what moves by itself."""
        path = self.tool.state / f"{self.id()}.json"
        path.unlink(missing_ok=True)
        answer = self.tool("check", "--inventory", inventory, "--save", path)
        self.assertEqual(answer.code, 0, answer)
        self.assertNotIn(SECRET, path.read_text())
        nodes = pairs(json.loads(path.read_text())["observation"]["nodes"])

        def still(value):
            if isinstance(value, dict):
                return {key: still(part) for key, part in value.items() if key not in MOVING}
            return [still(part) for part in value] if isinstance(value, list) else value
        return {node: {fact: still(answer) for fact, answer in facts.items() if fact not in PASSING} for node, facts in nodes.items()}

    def assertAlike(self, found, wanted, only=None):
        for node in wanted:
            for fact in only or wanted[node]:
                if fact in wanted[node]:
                    self.assertEqual(found[node].get(fact), wanted[node][fact], f"{fact} of {node}")

    def test_postgresql_says_the_same_by_shell_by_tunnel_and_directly(self):
        self.lab.command("load", "stop")
        self.addCleanup(self.lab.users_come)
        self.ready(self.lab.inventory)
        by_shell = self.facts(self.lab.inventory)
        for fact in TABLES:
            self.assertTrue(any("known" in facts.get(fact, {}) for facts in by_shell.values()), fact)
        for way in ("via: direct, sslmode: disable", "via: tunnel"):
            with self.subTest(way):
                self.assertAlike(self.facts(self.database(way)), by_shell, TABLES)

    def test_a_password_that_is_refused_is_unknown_and_says_what_to_try(self):
        (self.tool.state / "wrong").write_text("wrong\n")
        path = self.inventory("database: { via: shell }",
                              f"database: {{ via: direct, sslmode: disable, user: watcher, password: \"file:{self.tool.state}/wrong\" }}")
        answer = self.tool("check", "--inventory", path)
        self.assertEqual(answer.code, 2)
        self.assertSays(answer.out, "UNKNOWN", 'password authentication failed for user "watcher"', "fix: psql -h 10.", "`database:` of")
        self.assertNotIn("sudo -n true", answer.out)

    def test_a_servers_certificate_is_verified_unless_the_inventory_says_otherwise(self):
        self.ready(self.database("via: direct, sslmode: require"))
        # PostgreSQL of Omnibus has a certificate that it signed itself.
        answer = self.tool("check", "--inventory", self.database("via: direct"))
        self.assertEqual(answer.code, 2)
        self.assertSays(answer.out, "UNKNOWN", "certificate")

    def test_the_systems_ssh_opens_one_connection_per_node_for_all_looks_and_leaves_nothing(self):
        def logins():
            return {node: sum("Accepted publickey" in line for line in self.lab.sshd_log(node)) for node in self.lab.nodes}

        def sockets(process):
            return [*Path("/tmp").glob(f"geo-failover-{process.pid}-*")]
        inventory = self.inventory("become: sudo }", "become: sudo, transport: openssh }")
        before = logins()
        log = self.tool.state / "openssh.log"
        with open(log, "w") as out:
            process = self.tool.popen("check", "--watch", "--every", "5", "--inventory", inventory, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            self.addCleanup(end, process)
            until(lambda: log.read_text().count("tokyo -> seoul: ") >= 3, what="three looks")
            self.assertEqual(len(sockets(process)), 1)
            process.send_signal(signal.SIGINT)
            process.wait(300)
        after = logins()
        self.assertEqual({node: after[node] - before[node] for node in after}, {node: 1 for node in after}, log.read_text())
        self.assertEqual(sockets(process), [])

    def test_the_systems_ssh_and_a_jump_host_bring_home_the_same_facts(self):
        self.lab.command("load", "stop")
        self.addCleanup(self.lab.users_come)
        self.ready(self.lab.inventory)
        by_library = self.facts(self.lab.inventory)
        self.assertGreater(sum("known" in answer for facts in by_library.values() for answer in facts.values()), 150)
        # Not through the site to be left: a way that ends with it is no way out, and `check` says so.
        address = re.search(r"seoul-lb-1: *{ address: ([0-9.]+)", Path(self.lab.inventory).read_text()).group(1)
        for words in ("transport: openssh", f"jump: geo-ops@{address}"):
            with self.subTest(words):
                inventory = self.inventory("become: sudo }", f"become: sudo, {words} }}")
                self.ready(inventory)
                self.assertAlike(self.facts(inventory), by_library)


    def test_nodes_that_libssh2_cannot_talk_to_are_named_with_the_cure_and_reached_by_the_systems_ssh(self):
        self.lab.command("load", "stop")
        self.addCleanup(self.lab.users_come)
        self.ready(self.lab.inventory)
        by_library = self.facts(self.lab.inventory)
        self.addCleanup(self.ready, self.lab.inventory)       # every sshd is as it was
        state, address = self.tool.state, {name: node["address"] for name, node in self.lab.nodes.items()}
        for name in ("user-ca", "host-ca"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", state / name], check=True)
        hosted = self.lab.files("seoul-sidekiq-1") / "etc/ssh/ssh_host_ed25519_key"
        (state / "hosted.pub").write_bytes(hosted.with_name(hosted.name + ".pub").read_bytes())
        subprocess.run(["ssh-keygen", "-q", "-s", state / "host-ca", "-I", "sidekiq", "-h", "-n", address["seoul-sidekiq-1"],
                        state / "hosted.pub"], check=True)
        hosted.with_name("ssh_host_ed25519_key-cert.pub").write_bytes((state / "hosted-cert.pub").read_bytes())
        (self.lab.files("tokyo-sidekiq-1") / "etc/ssh/user_ca.pub").write_bytes((state / "user-ca.pub").read_bytes())
        # What each node's sshd insists on, and what is said of it where the library is the way.
        nodes = {
            "seoul-rails-1": ("MACs hmac-sha2-256-etm@openssh.com\nCiphers aes256-ctr", "no algorithms in common"),
            "seoul-redis-1": ("Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com", "no algorithms in common"),
            "seoul-gitaly-1": ("KexAlgorithms sntrup761x25519-sha512@openssh.com", "no algorithms in common"),
            "tokyo-redis-1": ("HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256", "no algorithms in common"),
            "tokyo-sidekiq-1": ("AuthorizedKeysFile none\nTrustedUserCAKeys /etc/ssh/user_ca.pub", "lets none of the keys in"),
            "seoul-sidekiq-1": ("HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub", "cannot use host certificates"),
        }
        for node, (settings, _) in nodes.items():
            path = self.lab.files(node) / "etc/ssh/sshd_config.d/00-modern.conf"
            path.write_text(settings + "\n")
            self.addCleanup(self.lab.on, node, "sv", "hup", "/etc/service/ssh")
            self.addCleanup(path.unlink)
            self.lab.on(node, "sv", "hup", "/etc/service/ssh")

        text = Path(self.lab.inventory).read_text()
        key, known = (re.search(rf"{word}: ([^ ,]+)", text).group(1) for word in ("identity", "known_hosts"))
        (state / "id").write_bytes(Path(key).read_bytes())
        (state / "id").chmod(0o600)
        (state / "id.pub").write_bytes(Path(key + ".pub").read_bytes())
        subprocess.run(["ssh-keygen", "-q", "-s", state / "user-ca", "-I", "watcher", "-n", "geo-ops", state / "id.pub"], check=True)
        lines = [line for line in Path(known).read_text().splitlines() if line.split(",")[0] != address["seoul-sidekiq-1"]]
        lines.append(f"@cert-authority {address['seoul-sidekiq-1']} {(state / 'host-ca.pub').read_text().strip()}")
        (state / "known_hosts").write_text("\n".join(lines) + "\n")
        default = state / "modern.yaml"
        default.write_text(text.replace(f"identity: {key}", f"identity: {state}/id").replace(f"known_hosts: {known}", f"known_hosts: {state}/known_hosts"))

        def reachable():
            lost = self.tool("check", "--inventory", default, "-o", "json")
            self.assertEqual(lost.code, 2, lost)
            return {line["subject"]: line for line in map(json.loads, lost.out.splitlines()) if line.get("check") == "node.reachable"}
        # An sshd takes a moment to read its settings again.
        found = until(lambda: (a := reachable()) and all(a[node]["verdict"] == "unknown" for node in nodes) and a, what="each sshd to insist")
        for node, (_, words) in nodes.items():
            self.assertSays(json.dumps(found[node]), words, "transport: openssh")
        openssh = state / "modern-openssh.yaml"
        openssh.write_text(default.read_text().replace("become: sudo }", "become: sudo, transport: openssh }"))
        self.ready(openssh)
        self.assertAlike(self.facts(openssh), by_library)
