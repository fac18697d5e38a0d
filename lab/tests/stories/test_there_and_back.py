"""There and back with the tool alone, under load: Tokyo fails over to Seoul, comes back as its secondary, becomes the primary
again, and Seoul comes back."""

import json
import unittest
from pathlib import Path

from support import Story, Tool, digest, lab, leave_lab, until

PG = "/var/opt/gitlab/postgresql"
PASSWORD = "practice-replication"


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
        # The lab's certificates are signed by nobody.
        cls.inventory.write_text(
            Path(cls.lab.inventory).read_text() + f"replication: {{ password: 'file:{secret}', sslmode: prefer }}\n")
        cls.tool.environment["GEO_FAILOVER_INVENTORY"] = str(cls.inventory)
        cls.until_ready("tokyo", "seoul")

    @classmethod
    def tearDownClass(cls):
        leave_lab()         # of no use to anybody else

    @classmethod
    def until_ready(cls, old, new):
        until(lambda: cls.tool("check", "--from", old, "--to", new).code == 0, timeout=400, interval=2,
              what=f"a deployment that can fail over from {old} to {new}")

    def run_plan(self, runbook, old, new):
        soon = ["--waive", f"operator.observation-window@{old}->{new}=practice"] if runbook == "reseed-secondary" else []
        path = self.tool.state / f"{runbook}-to-{new}.geoplan"
        # On a busy machine a look can be too slow to be certain of the clocks.
        until(lambda: self.tool("plan", runbook, "--from", old, "--to", new, *soon, "--out", path).code == 0, timeout=300, interval=2,
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

    def reseed(self, primary, site):
        path, answer = self.run_plan("reseed-secondary", primary, site)
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

    def test_3_tokyo_comes_back_as_a_secondary(self):
        self.reseed("seoul", "tokyo")

    def test_3a_what_was_set_aside_is_listed_and_goes_when_it_is_old_enough(self):
        until(lambda: self.tool("check", "--from", "seoul", "--to", "tokyo").code == 0, timeout=400, interval=2,
              what="everything to be copied and verified")
        self.assertSays(self.tool("purge", "list").out, "tokyo-pg-1", f"{PG}/data.", "stays for", "gitlab.rb.before-")
        answer = self.tool("purge", "remove", "--from", "seoul", "--to", "tokyo", "--confirm", "tokyo-pg-1")
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(answer.out, "nothing to remove")
        # A site that wants nothing kept; nobody is there to type the node's name.
        short = self.tool.state / "short.yaml"
        short.write_text(self.inventory.read_text().replace("sslmode: prefer", "sslmode: prefer, keep_former: 1s"))
        self.assertEqual(self.tool("purge", "remove", "-i", short, "--from", "seoul", "--to", "tokyo").code, 5)
        # Not while the other site is the one that is asked about: it has nothing set aside, and is the primary.
        other = self.tool("purge", "remove", "-i", short, "--from", "tokyo", "--to", "seoul", "--confirm", "seoul-pg-1")
        self.assertSays(other.out, "nothing to remove")
        self.assertEqual(len(self.lab.on("tokyo-pg-1", "sh", "-c", f"ls -d {PG}/data.*").split()), 1)
        # On a busy machine a status can be a moment behind.
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
        self.run_plan("planned-failover", "seoul", "tokyo")

    def test_6_seoul_comes_back_as_a_secondary(self):
        self.reseed("tokyo", "seoul")

    def test_7_nothing_is_lost_and_nothing_is_left_over(self):
        code, result = self.lab.audit()
        self.assertEqual((code, result["verdict"], result["site"], result["writes"]["lost"], result["pushes"]["lost"]),
                         (0, "nothing lost", "tokyo", 0, 0), json.dumps(result)[:2000])
        self.assertEqual(result["database"]["two_writable"], [])
        self.until_ready("tokyo", "seoul")
        for node in (each for each in self.lab.nodes if "-lb-" not in each):
            lease = self.lab.files(node) / "var/lib/geo-failover/lease"
            self.assertFalse(lease.exists() and lease.read_text().strip(), node)


if __name__ == "__main__":
    unittest.main()
