"""There and back with the tool alone, under load: Tokyo fails over to Seoul, and the failback brings it back as a secondary, makes
it the primary again, and brings Seoul back."""

import json
import re
import unittest
from pathlib import Path

from support import Story, Tool, digest, lab, leave_lab, until
from terminal import Terminal

PG = "/var/opt/gitlab/postgresql"
PASSWORD = "practice-replication"
TRACKING_PASSWORD = "practice-tracking"


class ThereAndBack(Story):
    """The tests are steps of one story and run in the order of their numbers."""
    limit = 900

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-back", "--failback")
        cls.tool = Tool(cls.lab)
        secret = cls.tool.state / "replication-password"
        secret.write_text(PASSWORD + "\n")
        cls.inventory = cls.tool.state / "inventory.yaml"
        cls.inventory.write_text(
            Path(cls.lab.inventory).read_text() + f"replication: {{ password: 'file:{secret}', sslmode: verify-ca,"
            " window: '00:00-23:59', backfill: { repositories: 7, files: 5 } }\n")
        cls.tool.environment["GEO_FAILOVER_INVENTORY"] = str(cls.inventory)
        cls.until_ready("tokyo", "seoul")

    @classmethod
    def tearDownClass(cls):
        leave_lab()         # of no use to anybody else

    @classmethod
    def until_ready(cls, old, new):
        until(lambda: cls.tool("check", "--from", old, "--to", new).code == 0, timeout=400, interval=2,
              what=f"a deployment that can fail over from {old} to {new}")

    def run_plan(self, runbook, old, new, *more):
        path = self.tool.state / f"{runbook}-to-{new}-{len(self.tool.runs)}.geoplan"
        # On a busy machine a look can be too slow to be certain of the clocks.
        until(lambda: self.tool("plan", runbook, "--from", old, "--to", new, *more, "--out", path).code == 0, timeout=300, interval=2,
              what=f"a plan of {runbook} from {old} to {new}")
        answer = self.tool("execute", path, "--approve", digest(path), timeout=800)
        self.assertEqual(answer.code, 0, f"{answer}\n{self.tool('status')}")
        return path, answer

    def refused(self, *argv, inventory=None):
        before = {node: len(self.lab.jobs(node)) for node in self.lab.nodes}
        other = Tool(self.lab)
        other.environment["GEO_FAILOVER_INVENTORY"] = str(inventory or self.inventory)
        answer = other("plan", "reseed-secondary", *argv, "--out", other.state / "none.geoplan")
        self.assertIn(answer.code, (2, 3), answer)
        self.assertEqual({node: len(self.lab.jobs(node)) for node in self.lab.nodes}, before)
        return answer

    def reseed(self, primary, site, *more):
        soon = f"operator.observation-window@{primary}->{site}=practice"
        path, answer = self.run_plan("failback", "seoul", "tokyo", "--waive", soon, *more)
        node = f"{site}-pg-1"
        slots = self.lab.sql(f"{primary}-pg-1", "select slot_name, active from pg_replication_slots")
        self.assertEqual(slots, f"{site}|t")
        self.assertEqual(self.lab.sql(node, "select pg_is_in_recovery()"), "t")
        self.assertEqual(self.lab.sql(node, "select status from pg_stat_wal_receiver"), "streaming")
        kept = self.lab.on(node, "sh", "-c", f"ls -d {PG}/data.*").split()
        self.assertEqual(len(kept), 1, kept)
        for name in (each for each in self.lab.nodes if each.startswith(site) and "-lb-" not in each):
            self.assertEqual(self.lab.on(name, "sh", "-c", "ls /opt/gitlab/sv/*/down 2>/dev/null; true"), "", name)
            self.assertEqual(self.lab.on(name, "systemctl", "is-enabled", "gitlab-runsvdir").strip(), "enabled")
        # The password is where gitlab-ctl itself keeps it, and nowhere of the tool's.
        places = [path, *(self.tool.runs[-1]).rglob("*"), *(self.lab.files(node) / "var/lib/geo-failover").rglob("*")]
        for place in places:
            if place.is_file():
                self.assertNotIn(PASSWORD, place.read_text(errors="replace"), place)
        row = self.lab.sql(f"{primary}-pg-1", f"select repos_max_capacity, files_max_capacity from geo_nodes where name = '{site}'")
        self.assertEqual(row, "7|5")
        return path, answer

    def secrets(self, node):
        return self.lab.files(node) / "etc/gitlab/gitlab-secrets.json"

    def test_1_there(self):
        self.run_plan("planned-failover", "tokyo", "seoul")

    def test_2_nothing_is_touched_in_the_wrong_direction_or_at_the_wrong_address(self):
        answer = self.refused("--from", "tokyo", "--to", "seoul")
        self.assertSays(answer.text, "reseed.direction")
        text = self.inventory.read_text()
        nodes = self.lab.nodes
        ours, theirs = nodes["tokyo-pg-1"]["address"], nodes["seoul-pg-1"]["address"]
        swapped = self.tool.state / "swapped.yaml"
        swapped.write_text(text.replace(ours, "@").replace(theirs, ours).replace("@", theirs))
        self.refused("--from", "seoul", "--to", "tokyo", inventory=swapped)

    def own_host_keys(self, node):
        """Gives a node host keys of its own, and the inventory a known_hosts that knows the node by no others."""
        self.lab.on(node, "sh", "-ec", "cd /etc/ssh; for kind in ed25519 ecdsa rsa; do rm -f ssh_host_${kind}_key*;"
                    " ssh-keygen -q -t $kind -N '' -f ssh_host_${kind}_key; done; kill -HUP $(cat /run/sshd.pid)")
        address = self.lab.nodes[node]["address"]
        theirs = self.lab.state / "known_hosts"
        lines = [line for line in theirs.read_text().splitlines() if not line.startswith(address + ",")]
        for key in (self.lab.files(node) / "etc/ssh").glob("ssh_host_*_key.pub"):
            lines.append(" ".join([address, *key.read_text().split()[:2]]))
        ours = self.tool.state / "known_hosts"
        ours.write_text("\n".join(lines) + "\n")
        self.inventory.write_text(self.inventory.read_text().replace(str(theirs), str(ours)))

    def configure(self):
        """What Tokyo's nodes are to be when it comes back: a file that gitlab.rb loads, all of gitlab.rb, and by somebody else."""
        folder = self.tool.state / "configuration"
        folder.mkdir()
        etc = {name: self.lab.files(f"tokyo-{name}-1") / "etc/gitlab" for name in ("geo", "sidekiq")}
        (folder / "geo.rb").write_text(f"geo_postgresql['enable'] = true\ngeo_secondary['db_password'] = '{TRACKING_PASSWORD}'\n")
        (folder / "sidekiq.rb").write_text(
            re.sub(r"(?m)^(geo_\w+\['enable'\] = )false$", r"\1true", (etc["sidekiq"] / "gitlab.rb").read_text()))
        (etc["geo"] / "geo.rb").write_text("geo_postgresql['enable'] = false\n")
        own = (etc["geo"] / "gitlab.rb").read_text()
        (etc["geo"] / "gitlab.rb").write_text(own.replace("geo_postgresql['enable'] = false", "from_file '/etc/gitlab/geo.rb'"))
        entry = ("    secondary_configuration:\n"
                 f"      tracking-db: {{ content: 'file:{folder}/geo.rb', path: /etc/gitlab/geo.rb }}\n"
                 f"      sidekiq: {{ content: 'file:{folder}/sidekiq.rb' }}\n      rails: managed\n")
        self.inventory.write_text(self.inventory.read_text().replace("  tokyo:\n", "  tokyo:\n" + entry, 1))
        return etc

    def manage(self):
        """As configuration management would: nobody has told this tool how."""
        for node in ("tokyo-rails-1", "tokyo-rails-2"):
            file = self.lab.files(node) / "etc/gitlab/gitlab.rb"
            file.write_text(file.read_text().replace("geo_secondary['enable'] = false", "geo_secondary['enable'] = true"))

    def test_3_tokyo_comes_back_as_a_secondary_and_what_it_lacks_is_mended_first(self):
        # Seoul lets nobody of Tokyo replicate, and a node of Tokyo has secrets of its own.
        net = self.lab.nodes["seoul-pg-1"]["address"].split(".")[1]
        self.lab.on("seoul-pg-1", "sed", "-i", f"s|'10.{net}.0.0/16'|'10.{net}.2.0/24'|", "/etc/gitlab/gitlab.rb")
        self.lab.on("seoul-pg-1", "gitlab-ctl", "reconfigure")
        right = self.secrets("seoul-rails-1").read_text()
        wrong = json.loads(right)
        wrong["gitlab_rails"]["secret_key_base"] = "0" * 128
        self.secrets("tokyo-rails-2").write_text(json.dumps(wrong))
        self.own_host_keys("tokyo-rails-1")
        etc = self.configure()
        soon = ("--waive", "operator.observation-window@seoul->tokyo=practice")
        none = self.tool.state / "none.geoplan"
        answer = self.tool("plan", "failback", "--from", "seoul", "--to", "tokyo", *soon, "--out", none)
        self.assertEqual(answer.code, 2, answer)
        checks = ("database.seed-source", "secrets.equal", "ssh-host-keys.equal", "database.trusts-primary")
        self.assertSays(answer.text, "stage 1 of 3", *checks, "gitlab.rb of tokyo-rails-1 has geo_secondary['enable'] = false, and"
                        " is left to configuration management")
        self.manage()
        mending = [word for check in checks for word in ("--repair", check)]
        # Nobody would get onto a node with keys that nobody knows it by.
        answer = self.tool("plan", "failback", "--from", "seoul", "--to", "tokyo", *soon, *mending, "--out", none)
        self.assertEqual(answer.code, 2, answer)
        self.assertSays(answer.text, "geo-failover inventory trust tokyo-rails-1 --same-as seoul-rails-1")
        with Terminal(self.tool, "inventory", "trust", "tokyo-rails-1", "--same-as", "seoul-rails-1") as terminal:
            terminal.expect("type its name")
            terminal.type("tokyo-rails-1")
            terminal.expect("3 keys of seoul-rails-1 added for tokyo-rails-1")
        # What is put in place is shown before, without what is secret in it.
        plan = self.tool.state / "shown.geoplan"
        answer = self.tool("plan", "failback", "--from", "seoul", "--to", "tokyo", *soon, *mending, "--out", plan)
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(
            answer.text, "What changes in /etc/gitlab/geo.rb: tokyo-geo-1: - geo_postgresql['enable'] = false"
            " + geo_postgresql['enable'] = true + geo_secondary['db_password'] = [hidden] the file before it: /etc/gitlab/geo.rb.before-",
            "tokyo-sidekiq-1: - geo_secondary['enable'] = false + geo_secondary['enable'] = true")
        self.assertNotIn(TRACKING_PASSWORD, answer.text)
        # A file that is written meanwhile is not the one of the plan.
        mine = self.tool.state / "configuration/geo.rb"
        text = mine.read_text()
        mine.write_text(text + "# later\n")
        answer = self.tool("execute", plan, "--approve", digest(plan))
        self.assertEqual(answer.code, 4, answer)
        self.assertSays(answer.text, "geo.rb is not what it was when the plan was made", "nothing was sent to tokyo-geo-1")
        answer = self.tool("abort", "--reason", "another file", "--yes", timeout=300)
        self.assertEqual(answer.code, 0, answer)
        self.assertEqual((etc["geo"] / "geo.rb").read_text(), "geo_postgresql['enable'] = false\n")
        mine.write_text(text)
        # What the run had given the primary, and whom the database trusts, stays; the rest was taken back, and is mended again.
        path, answer = self.reseed("seoul", "tokyo", *mending)
        self.assertEqual((etc["geo"] / "geo.rb").read_text(), text)
        former = [each.read_text() for each in etc["geo"].glob("geo.rb.before-*")]
        self.assertIn("geo_postgresql['enable'] = false\n", former)
        self.assertEqual((etc["sidekiq"] / "gitlab.rb").read_text(), (mine.parent / "sidekiq.rb").read_text())
        keys = [(self.lab.files(node) / "etc/ssh/ssh_host_ecdsa_key").read_text() for node in ("tokyo-rails-1", "seoul-rails-1")]
        self.assertEqual(keys[0], keys[1])
        shown = self.lab.on("tokyo-rails-1", "sh", "-c", "ssh-keyscan -t ed25519 localhost 2>/dev/null").split()[1:3]
        self.assertEqual(shown, (self.lab.files("seoul-rails-1") / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2])
        address = self.lab.nodes["tokyo-pg-1"]["address"]
        self.assertIn(f"'{address}/32'", self.lab.on("seoul-pg-1", "grep", "md5_auth", "/etc/gitlab/gitlab.rb"))
        self.assertEqual(json.loads(self.secrets("tokyo-rails-2").read_text()), json.loads(right))
        former = list(self.secrets("tokyo-rails-2").parent.glob("gitlab-secrets.json.before-*"))
        self.assertEqual([json.loads(each.read_text()) for each in former], [wrong])
        # They went from node to node, and were written down nowhere on the way.
        private = keys[0].splitlines()[1]
        secret = json.loads(right)["gitlab_rails"]["secret_key_base"]
        places = [path, *(self.tool.runs[-1]).rglob("*")]
        for node in ("tokyo-rails-2", "tokyo-rails-1", "seoul-rails-1", "tokyo-geo-1", "tokyo-sidekiq-1"):
            places += (self.lab.files(node) / "var/lib/geo-failover").rglob("*")
        for place in places:
            if place.is_file():
                for each in (secret, private, TRACKING_PASSWORD):
                    self.assertNotIn(each, place.read_text(errors="replace"), place)
        self.assertSays(answer.text, "geo-failover plan failback --from seoul --to tokyo", "HOLD before it")

    def test_3a_what_was_set_aside_is_listed_and_goes_when_it_is_old_enough(self):
        until(lambda: self.tool("check", "--from", "seoul", "--to", "tokyo").code == 0, timeout=400, interval=2,
              what="everything to be copied and verified")
        self.assertSays(self.tool("purge", "list").out, "tokyo-pg-1", f"{PG}/data.", "stays for", "gitlab.rb.before-")
        answer = self.tool("purge", "remove", "--from", "seoul", "--to", "tokyo", "--confirm", "tokyo-pg-1")
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(answer.out, "nothing to remove")
        # A site that wants nothing kept; nobody is there to type the node's name.
        short = self.tool.state / "short.yaml"
        short.write_text(self.inventory.read_text().replace("sslmode: verify-ca", "sslmode: verify-ca, keep_former: 1s"))
        # On a busy machine a status can be a moment behind, here and below.
        until(lambda: self.tool("purge", "remove", "-i", short, "--from", "seoul", "--to", "tokyo").code == 5,
              timeout=200, interval=2, what="a question that nobody answers")
        # Not while the other site is the one that is asked about: it has nothing set aside, and is the primary.
        other = self.tool("purge", "remove", "-i", short, "--from", "tokyo", "--to", "seoul", "--confirm", "seoul-pg-1")
        self.assertSays(other.out, "nothing to remove")
        self.assertEqual(len(self.lab.on("tokyo-pg-1", "sh", "-c", f"ls -d {PG}/data.*").split()), 1)
        until(lambda: self.tool("purge", "remove", "-i", short, "--from", "seoul", "--to", "tokyo", "--confirm", "tokyo-pg-1").code == 0,
              timeout=200, interval=2, what="the former database to go")
        until(lambda: self.lab.on("tokyo-pg-1", "sh", "-c", f"ls -d {PG}/data.* {PG}/removing.* 2>/dev/null; true") == "", what="its end")
        self.assertEqual(self.lab.sql("tokyo-pg-1", "select status from pg_stat_wal_receiver"), "streaming")
        self.assertIn("data.", (self.lab.files("tokyo-pg-1") / "var/lib/geo-failover/purged").read_text())

    def test_4_a_good_standby_is_not_replaced(self):
        answer = self.refused("--from", "seoul", "--to", "tokyo")
        self.assertSays(answer.text, "streams already")

    def test_5_and_back(self):
        self.until_ready("seoul", "tokyo")
        _, answer = self.run_plan("failback", "seoul", "tokyo")
        self.assertSays(self.tool("report").out, "geo-failover plan failback --from seoul --to tokyo # stage 3 of 3")

    def test_5a_a_slot_of_nobody_is_named_and_dropped(self):
        self.lab.sql("tokyo-pg-1", "select pg_create_physical_replication_slot('osaka', true)")
        said = self.tool("check", "--for", "reseed", "--from", "tokyo", "--to", "seoul")
        self.assertSays(said.text, "replication.orphaned-slots", "plan drop-slots --from tokyo --to seoul --slot osaka")
        answer = self.tool("plan", "drop-slots", "--from", "tokyo", "--to", "seoul", "--out", self.tool.state / "none.geoplan")
        self.assertEqual(answer.code, 3, answer)
        self.assertSays(answer.text, "which slots? free to be dropped: --slot osaka")
        self.run_plan("drop-slots", "tokyo", "seoul", "--slot", "osaka")
        self.assertEqual(self.lab.sql("tokyo-pg-1", "select count(*) from pg_replication_slots"), "0")

    def test_6_seoul_comes_back_as_a_secondary(self):
        self.reseed("tokyo", "seoul")
        answer = self.tool("plan", "failback", "--from", "seoul", "--to", "tokyo")
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(answer.text, "nothing is left to be done: tokyo is the primary, and seoul streams from it")

    def test_7_nothing_is_lost_and_nothing_is_left_over(self):
        code, result = self.lab.audit()
        self.assertEqual((code, result["verdict"], result["site"], result["writes"]["lost"], result["pushes"]["lost"]),
                         (0, "nothing lost", "tokyo", 0, 0), json.dumps(result)[:2000])
        self.assertEqual(result["database"]["two_writable"], [])
        # Both sites have all that users were told is stored, by rows and commits, and neither has anything more.
        self.lab.command("load", "stop")
        self.until_ready("tokyo", "seoul")
        for site in ("tokyo", "seoul"):
            code, result = self.lab.audit("--site", site)
            self.assertEqual((code, result["site"], result["writes"]["lost"], result["pushes"]["lost"]), (0, site, 0, 0), result)
            self.assertGreater(min(result["writes"]["acknowledged"], result["pushes"]["acknowledged"]), 10)
        code, result = self.lab.audit("--divergence")
        self.assertEqual((code, result["verdict"]), (0, "no divergence"), result)
        self.assertEqual(self.lab.sql("tokyo-pg-1", "select slot_name, active from pg_replication_slots"), "seoul|t")
        self.assertEqual(self.lab.sql("seoul-pg-1", "select count(*) from pg_replication_slots"), "0")
        left = ("ls -d /etc/gitlab/*.next-* /etc/gitlab/*/*.next-* /etc/ssh/*.next-* /opt/gitlab/sv/*/down"
                f" {PG}/data-* {PG}/.pgpass-* {PG}/data/geo-pitr-file 2>/dev/null; pgrep -af /var/lib/geo-failover/jobs; true")
        for node in (each for each in self.lab.nodes if "-lb-" not in each):
            lease = self.lab.files(node) / "var/lib/geo-failover/lease"
            self.assertFalse(lease.exists() and lease.read_text().strip(), node)
            said = [line for line in self.lab.on(node, "sh", "-c", left).splitlines() if "pgrep" not in line]
            self.assertEqual(said, [], node)
            self.assertEqual(self.lab.on(node, "systemctl", "is-enabled", "gitlab-runsvdir").strip(), "enabled")


if __name__ == "__main__":
    unittest.main()
