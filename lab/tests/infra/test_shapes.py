"""What `up` can be asked for besides the usual, and whether the README speaks of what there is."""
import re
import subprocess
import unittest
from pathlib import Path

from support import LAB, STATE, lab, net, nodes, operator_reaches, reaches, until


class Shapes(unittest.TestCase):
    """What `up` was asked for is kept by the lab, also when it is repaired."""
    name = "test-shape"

    def tearDown(self):
        lab(self.name, "down")

    def test_a_lab_for_failing_back_has_two_equal_sites(self):
        lab(self.name, "up", "--bare", "--failback")
        found = nodes(self.name)
        kinds = {site: sorted(name.removeprefix(site) for name in found if name.startswith(site)) for site in ("tokyo", "seoul")}
        self.assertEqual(kinds["tokyo"], kinds["seoul"])
        text = (STATE / self.name / "inventory.yaml").read_text()
        number = net(self.name)
        self.assertIn(f"tokyo-sidekiq-1: {{ address: 10.{number}.1.15, components: [sidekiq, logcursor] }}", text)
        self.assertIn(f"tokyo-geo-1:     {{ address: 10.{number}.1.51, components: [tracking-db] }}", text)
        lab(self.name, "up")
        self.assertEqual(set(nodes(self.name)), set(found))

    def test_a_third_site_is_one_node(self):
        lab(self.name, "up", "--bare", "--sites", "3")
        number = net(self.name)
        self.assertEqual([name for name, node in nodes(self.name).items() if node["site"] == "busan"], ["busan-1"])
        self.assertIn(f"busan-1: {{ address: 10.{number}.3.10, components: [rails, sidekiq, logcursor, postgresql, tracking-db, gitaly, redis] }}",
                      (STATE / self.name / "inventory.yaml").read_text())
        tokyo, seoul, busan = (f"10.{number}.{site}" for site in ("1.21", "2.21", "3.10"))
        until(lambda: reaches(self.name, "busan-1", tokyo), what="the network")
        lab(self.name, "fault", "partition", "busan")
        self.assertEqual([reaches(self.name, "busan-1", tokyo), reaches(self.name, "seoul-pg-1", busan), reaches(self.name, "seoul-pg-1", tokyo)],
                         [False, False, True])
        until(lambda: operator_reaches(busan), what="the network")
        lab(self.name, "fault", "heal")
        lab(self.name, "fault", "partition", "tokyo")
        self.assertEqual([reaches(self.name, "busan-1", tokyo), reaches(self.name, "seoul-pg-1", busan)], [False, True])
        lab(self.name, "fault", "heal")
        lab(self.name, "fault", "slow-link", "busan", "512kbit")
        until(lambda: reaches(self.name, "busan-1", seoul), what="the network")
        subprocess.run([STATE / self.name / "hooks/point-dns-at", "busan"], check=True, capture_output=True)

    def test_the_shape_of_a_lab_cannot_be_changed(self):
        lab(self.name, "up", "--bare")
        for options in (["--failback"], ["--sites", "3"]):
            done = lab(self.name, "up", *options, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"was made without {' '.join(options)}", done.stderr)
        self.assertEqual(len(nodes(self.name)), 15)


class Documents(unittest.TestCase):
    """What the README tells to type, exists."""
    text = (Path(LAB).parent / "README.md").read_text()

    def test_every_part_of_the_tests_is_told(self):
        run = (Path(LAB).parent / "tests/run").read_text()
        for part in re.findall(r'"([a-z]+)"', re.search(r"PARTS = \((.+)\)", run)[1]):
            self.assertIn(f"lab/tests/run {part}" if part != "gitlab" else "`gitlab`", self.text)
        stories = "".join(path.read_text() for path in (Path(LAB).parent / "tests/stories").glob("*.py"))
        for name in re.findall(r"\bGEO_[A-Z_]+", self.text.split("## Tests")[1]):
            self.assertIn(name, stories)

    def test_every_fault_that_is_shown_is_in_the_list(self):
        known = lab("x", "fault", "list").stdout
        for name in re.findall(r"`(?:lab/lab )?fault ([a-z-]+)", self.text):
            if name not in ("list", "heal"):
                self.assertIn(f"\n  {name} ", known)
