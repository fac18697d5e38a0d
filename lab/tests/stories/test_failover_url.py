"""After the failover of test_failover: the promoted site gets another URL, by a plan that two people have to sign."""

import subprocess
import unittest
from pathlib import Path

import test_failover
from support import Story, Tool, digest, lab, leave_lab


class UrlAfterTheFailover(Story):
    """The promoted site gets another URL, by a plan that two people have to sign."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-failover")
        if not hasattr(test_failover.WholeFailover, "audit"):
            test_failover.WholeFailover.setUpClass()
        cls.tool = Tool(cls.lab)
        cls.people = ["anna@example.com", "ben@example.com"]
        for name in cls.people:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.key(name)], check=True, stdin=subprocess.DEVNULL)
        signers = "".join(f"{name} {Path(f'{cls.key(name)}.pub').read_text()}" for name in cls.people)
        (cls.tool.state / "allowed_signers").write_text(signers)
        (cls.tool.state / "inventory.yaml").write_text(Path(cls.lab.inventory).read_text() + "approvals: 2\n")
        cls.tool.environment["GEO_FAILOVER_INVENTORY"] = str(cls.tool.state / "inventory.yaml")
        cls.former = cls.file("seoul-rails-1").split("external_url '", 1)[1].split("'", 1)[0]
        # A name of its own would need a resolver; with its port it is another URL, and leads to the same place.
        cls.url = cls.former + ":80"
        cls.nodes = [name for name in cls.lab.nodes if name.startswith("seoul") and "-lb-" not in name]
        cls.tokyo = cls.file("tokyo-rails-1")
        cls.plan = cls.tool.state / "url.geoplan"
        cls.planned = cls.tool("plan", "change-url", "--from", "tokyo", "--to", "seoul", "--url", cls.url, "--out", cls.plan)
        if cls.planned.code:
            raise AssertionError(str(cls.planned))
        cls.digest = digest(cls.plan)

    @classmethod
    def tearDownClass(cls):
        leave_lab()         # failed over: of no use to anybody else

    @classmethod
    def key(cls, name):
        return cls.tool.state / name.split("@")[0]

    @classmethod
    def file(cls, node, name="gitlab.rb"):
        return (cls.lab.files(node) / "etc/gitlab" / name).read_text()

    def approve(self, name, key=None):
        return self.tool("approve", self.plan, "--as", name, "--key", self.key(key or name), "--approve", self.digest)

    def row(self):
        return self.lab.sql("seoul-pg-1", "select name, url, \"primary\" from geo_nodes order by id").splitlines()

    def test_1_the_plan_shows_the_line_that_changes(self):
        self.assertSays(self.planned.out, "What changes in /etc/gitlab/gitlab.rb", f"- external_url '{self.former}'",
                        f"+ external_url '{self.url}'", "2 signatures needed")
        self.assertNotIn("tokyo-rails-1 $", self.planned.out)

    def test_2_it_does_not_run_before_two_people_have_signed_it(self):
        for sign in (lambda: None, lambda: self.approve(self.people[0]), lambda: self.approve(self.people[1], key=self.people[0])):
            sign()
            refused = self.tool("execute", self.plan, "--approve", self.digest)
            self.assertEqual(refused.code, 3, refused)
            self.assertSays(refused.err, "is not approved, and nothing was changed", "2 people have to approve it", "geo-failover approve PLAN")
        self.assertEqual(self.tool.runs, [])
        self.assertIn(f"external_url '{self.former}'", self.file("seoul-rails-1"))

    def test_3_then_it_runs_and_every_node_and_the_tables_have_the_new_url(self):
        signed = self.approve(self.people[1])
        self.assertEqual(signed.code, 0, signed)
        before = {node: self.file(node) for node in self.nodes}
        answer = self.tool("execute", self.plan, "--approve", self.digest, timeout=600)
        self.assertEqual(answer.code, 0, answer)
        for node in self.nodes:
            self.assertEqual(self.file(node), before[node].replace(f"external_url '{self.former}'", f"external_url '{self.url}'"), node)
            kept = sorted(path.name for path in (self.lab.files(node) / "etc/gitlab").glob("gitlab.rb.*"))
            self.assertEqual(len(kept), 1, kept)
            self.assertEqual(self.file(node, kept[0]), before[node], node)
        self.assertEqual(self.row(), [f"seoul|{self.url}/|t"])
        self.assertEqual(self.file("tokyo-rails-1"), self.tokyo)
        report = self.tool("report")
        self.assertSays(report.out, *(f"{name} approved plan" for name in self.people), "signed with SHA256:")

    def test_4_the_same_plan_again_is_stale_and_there_is_nothing_to_plan(self):
        again = self.tool("execute", self.plan, "--approve", self.digest)
        self.assertEqual(again.code, 3, again)
        self.assertSays(again.err, "REFUSED:", "seoul-rails-1", "external_url")
        none = self.tool("plan", "change-url", "--from", "tokyo", "--to", "seoul", "--url", self.url, "--out", self.tool.state / "none.geoplan")
        self.assertEqual(none.code, 3, none)
        self.assertSays(none.err, "nothing is to be done")


if __name__ == "__main__":
    unittest.main()
