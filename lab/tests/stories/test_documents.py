"""Files that are wrong: where, what was expected, and nothing done. Needs no lab."""

import unittest

from support import Story, Tool


class Documents(Story):
    limit = 120

    def setUp(self):
        super().setUp()
        self.tool = Tool()

    def write(self, name, text):
        path = self.tool.state / name
        path.write_text(text)
        return path

    def test_an_inventory_with_mistakes_is_refused_with_line_and_column_of_each(self):
        path = self.write("inventory.yaml", "\n".join([
            "schema: 1",
            "deployment: lab",
            "ssh: { user: geo-ops, identiy: /nowhere/key, known_hosts: /nowhere/known_hosts }",
            "sites:",
            "  tokyo:",
            "    url: http://10.0.0.1",
            "    geo_node_name: tokyo",
            "    nodes:",
            "      tokyo-pg-1: { address: 10.0.0.2, components: [postgresq] }",
            ""]))
        for argv in (["check"], ["plan", "--out", self.tool.state / "p"], ["inventory", "check"]):
            with self.subTest(argv):
                answer = self.tool(*argv, "-i", path)
                self.assertEqual(answer.code, 65, answer)
                self.assertEqual(answer.out, "")
                self.assertSays(answer.err, f"{path}:3:23: error:", "identiy", "identity", f"{path}:9:53: error:", "postgresq", "postgresql",
                                "nothing was done")
        self.assertFalse((self.tool.state / "p").exists())

    def test_an_inventory_that_is_no_yaml_is_refused_with_line_and_column(self):
        path = self.write("inventory.yaml", "schema: 1\ndeployment: [lab\nsites: {}\n")
        answer = self.tool("check", "-i", path)
        self.assertEqual(answer.code, 65, answer)
        self.assertRegex(answer.err, rf"{path}:\d+:\d+: error: ")

    def test_an_inventory_that_is_missing_is_named(self):
        answer = self.tool("check", "-i", "/nowhere/inventory.yaml")
        self.assertEqual(answer.code, 65, answer)
        self.assertSays(answer.err, "/nowhere/inventory.yaml cannot be read", "--inventory FILE")

    def test_a_runbook_with_mistakes_is_refused_with_line_and_column(self):
        path = self.write("runbook.yaml", "\n".join([
            "schema: 1", "name: mine", "title: Mine", "scenario: planned", "steps:",
            "  - id: block-writes", "    title: t", "    do: enable-maintenance-mod", "    on: { site: from, component: rails, nodes: one }", ""]))
        answer = self.tool("runbook", "lint", path)
        self.assertEqual(answer.code, 65, answer)
        self.assertSays(answer.err, f"{path}:8:9: error:", "enable-maintenance-mod", "enable-maintenance-mode")

    def test_a_plan_that_is_missing_is_named(self):
        answer = self.tool("execute", "/nowhere/failover.geoplan", "--approve", "0" * 12)
        self.assertEqual(answer.code, 65, answer)
        self.assertSays(answer.err, "/nowhere/failover.geoplan cannot be read")

    def test_what_is_no_plan_is_refused(self):
        for text in ("", "no plan\n", "{}\n", '{"digest":"sha256:00","schema":1,"type":"geo-failover.plan"}\n{}\n'):
            with self.subTest(text):
                answer = self.tool("execute", self.write("failover.geoplan", text), "--approve", "0" * 12)
                self.assertEqual(answer.code, 3, answer)
                self.assertEqual(self.tool.runs, [])

    def test_without_a_run_status_report_and_resume_say_so(self):
        for verb in ("status", "report", "resume"):
            with self.subTest(verb):
                answer = self.tool(verb)
                self.assertEqual(answer.code, 65, answer)
                self.assertSays(answer.err, "nothing was executed from this machine yet")

    def test_a_word_that_is_no_command_is_wrong_usage(self):
        self.assertEqual(self.tool("promote").code, 64)


if __name__ == "__main__":
    unittest.main()
