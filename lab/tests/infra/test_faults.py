"""Each fault does what it says, can be repeated, and heals."""
import json
import subprocess
import time
import unittest

from support import STATE, lab, net, nodes, operator_reaches, reaches, until

NAME = "test-faults"


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab(NAME, "down")
        lab(NAME, "up", "--bare")
        cls.number = net(NAME)

    @classmethod
    def tearDownClass(cls):
        lab(NAME, "down")

    def tearDown(self):
        lab(NAME, "fault", "heal")

    def address(self, name):
        return nodes(NAME)[name]["address"]

    def fault(self, *argv, **options):
        return lab(NAME, "fault", *argv, **options)

    def active(self):
        return [(f["name"], f["target"]) for f in json.loads(self.fault("--json", "list").stdout)]

    def test_node_down_and_back_with_its_disk(self):
        address = self.address("tokyo-gitaly-1")
        lab(NAME, "exec", "tokyo-gitaly-1", "--", "sh", "-c", "echo kept >/var/kept")
        self.fault("node-down", "tokyo-gitaly-1")
        self.fault("node-down", "tokyo-gitaly-1")
        self.assertFalse(operator_reaches(address))
        self.assertEqual(nodes(NAME)["tokyo-gitaly-1"]["state"], "down (fault)")
        lab(NAME, "up")                         # repairs, but does not heal
        self.assertFalse(operator_reaches(address))
        self.fault("heal", "node-down")
        self.assertEqual(lab(NAME, "ssh", "tokyo-gitaly-1", "cat /var/kept").stdout, "kept\n")

    def test_reboot_is_a_new_start_on_the_same_disk(self):
        first = lab(NAME, "exec", "tokyo-pg-1", "--", "cat", "/etc/machine-id").stdout
        lab(NAME, "exec", "tokyo-pg-1", "--", "touch", "/run/gone")
        self.fault("reboot", "tokyo-pg-1")
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "cat /etc/machine-id; ls /run/gone 2>/dev/null; true").stdout, first)
        self.assertEqual(self.active(), [])

    def test_partition_separates_the_sites_only(self):
        self.fault("partition", "tokyo")
        self.assertFalse(reaches(NAME, "tokyo-pg-1", self.address("seoul-pg-1")))
        self.assertFalse(reaches(NAME, "seoul-pg-1", self.address("tokyo-pg-1")))
        self.assertTrue(reaches(NAME, "tokyo-pg-1", self.address("tokyo-rails-1")))
        self.assertTrue(operator_reaches(self.address("tokyo-pg-1")))
        self.assertTrue(operator_reaches(self.address("seoul-pg-1")))
        self.fault("reboot", "tokyo-pg-1")
        self.assertFalse(reaches(NAME, "tokyo-pg-1", self.address("seoul-pg-1")))
        self.fault("heal", "partition", "tokyo")
        self.assertTrue(reaches(NAME, "tokyo-pg-1", self.address("seoul-pg-1")))

    def test_partition_of_the_operator(self):
        self.fault("partition-operator", "tokyo-pg-1")
        self.assertFalse(operator_reaches(self.address("tokyo-pg-1")))
        self.assertTrue(operator_reaches(self.address("tokyo-rails-1")))
        self.assertTrue(reaches(NAME, "seoul-pg-1", self.address("tokyo-pg-1")))
        self.fault("heal")
        self.assertTrue(operator_reaches(self.address("tokyo-pg-1")))

    def test_cut_replication_closes_the_database_port_between_sites_only(self):
        for node in ("tokyo-pg-1", "tokyo-rails-1"):
            lab(NAME, "exec", node, "--", "sh", "-c",
                "setsid python3 -c 'import socket\ns = socket.create_server((\"\", 5432))\nwhile True: s.accept()[0].sendall(b\"x\")' >/dev/null 2>&1 &")
        far, near = self.address("tokyo-pg-1"), self.address("tokyo-rails-1")
        until(lambda: reaches(NAME, "seoul-pg-1", far, 5432), what="the listener")
        self.fault("cut-replication")
        self.assertFalse(reaches(NAME, "seoul-pg-1", far, 5432))
        self.assertTrue(reaches(NAME, "seoul-pg-1", far, 22))
        until(lambda: reaches(NAME, "tokyo-pg-1", near, 5432), what="the database port inside the site")
        self.fault("heal", "cut-replication")
        self.assertTrue(reaches(NAME, "seoul-pg-1", far, 5432))

    def test_slow_link(self):
        def seconds(source):
            command = f"ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i /tmp/key geo-ops@{source} 'head -c 150000 /dev/urandom' | wc -c"
            began = time.monotonic()
            done = lab(NAME, "exec", "seoul-pg-1", "--", "sh", "-c", command)
            self.assertEqual(done.stdout.strip(), "150000", done.stderr)
            return time.monotonic() - began
        key = (STATE / NAME / "id_ed25519").read_text()
        lab(NAME, "exec", "seoul-pg-1", "--", "sh", "-c", f"umask 077; cat >/tmp/key <<'E'\n{key}E\n")
        self.fault("slow-link", "tokyo", "512kbit")
        self.assertGreater(seconds(self.address("tokyo-pg-1")), 1.8)      # 1.2 Mbit at 0.512 Mbit/s
        self.fault("heal")
        self.assertLess(seconds(self.address("tokyo-pg-1")), 1.8)
        self.assertEqual(self.fault("slow-link", "tokyo", "fast", check=False).returncode, 1)

    def test_full_disk_keeps_what_it_did(self):
        lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "mkdir -p /etc/gitlab && echo old >/etc/gitlab/old && rm -f /etc/gitlab/new")
        self.fault("full-disk", "tokyo-pg-1")
        self.fault("full-disk", "tokyo-pg-1")
        done = lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "cat /etc/gitlab/old; echo text | tee /etc/gitlab/new >/dev/null", check=False)
        self.assertEqual(done.stdout, "old\n")
        self.assertIn("No space left on device", done.stderr)
        self.fault("reboot", "tokyo-pg-1")
        self.assertNotEqual(lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "echo text >/etc/gitlab/new", check=False).returncode, 0)
        self.fault("heal", "full-disk")
        self.assertEqual(lab(NAME, "exec", "tokyo-pg-1", "--", "stat", "-c", "%s", "/etc/gitlab/new").stdout, "0\n")
        lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "echo text >/etc/gitlab/new")

    def test_full_disk_remembers_what_was_deleted_under_it(self):
        lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "mkdir -p /srv/d/sub && touch /srv/d/gone /srv/d/sub/x")
        self.fault("full-disk", "tokyo-pg-1", "/srv/d")
        lab(NAME, "exec", "tokyo-pg-1", "--", "rm", "-r", "/srv/d/gone", "/srv/d/sub")
        self.fault("heal")
        self.assertEqual(lab(NAME, "exec", "tokyo-pg-1", "--", "ls", "/srv/d").stdout, "")

    def test_full_disk_leaves_sockets_working(self):
        serve = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('/srv/s/socket'); s.listen()\nwhile True: s.accept()[0].sendall(b'hello')"
        lab(NAME, "exec", "tokyo-pg-1", "--", "sh", "-c", "rm -rf /srv/s; mkdir -p /srv/s; setsid python3 -c \"$1\" >/dev/null 2>&1 &", "sh", serve)
        ask = ("python3", "-c", "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/srv/s/socket'); print(s.recv(9))")
        asked = lambda: lab(NAME, "exec", "tokyo-pg-1", "--", *ask, check=False).stdout
        until(lambda: "hello" in asked(), what="the server")
        self.fault("full-disk", "tokyo-pg-1", "/srv/s")
        self.assertIn("hello", asked())
        self.fault("heal")
        self.assertIn("hello", asked())

    def test_wrong_host_key(self):
        self.fault("wrong-host-key", "tokyo-pg-1")
        done = lab(NAME, "ssh", "tokyo-pg-1", "true", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("Host key verification failed", done.stderr)
        self.fault("heal")
        lab(NAME, "ssh", "tokyo-pg-1", "true")

    def test_sudo_password(self):
        self.fault("sudo-password", "tokyo-pg-1")
        done = lab(NAME, "ssh", "tokyo-pg-1", "sudo -n true", check=False)
        self.assertEqual((done.returncode, done.stderr), (1, "sudo: a password is required\n"))
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "echo practice | sudo -S id -un").stdout, "root\n")
        self.fault("heal")
        lab(NAME, "ssh", "tokyo-pg-1", "sudo -n true")

    def test_hanging_sshd_accepts_and_says_nothing(self):
        address = self.address("tokyo-pg-1")
        self.fault("sshd-hang", "tokyo-pg-1")
        connects = subprocess.run(["timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{address}/22"], capture_output=True)
        self.assertEqual(connects.returncode, 0)
        self.assertFalse(operator_reaches(address))
        self.fault("reboot", "tokyo-pg-1")
        self.assertFalse(operator_reaches(address))
        self.fault("heal")
        until(lambda: operator_reaches(address), what="sshd to answer")

    def test_closed_port_refuses(self):
        address = self.address("tokyo-lb-1")
        self.fault("close-port", "tokyo-lb-1", "80")
        self.fault("close-port", "tokyo-lb-1", "81")
        refused = subprocess.run(["curl", "-s", f"http://{address}/"], capture_output=True).returncode
        self.assertEqual(refused, 7)
        self.assertEqual(len(self.active()), 2)
        self.fault("heal")
        self.assertEqual(subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://{address}/"]).returncode, 0)

    def test_wrong_use_is_refused_and_changes_nothing(self):
        for argv in (["no-such"], ["node-down"], ["node-down", "nobody"], ["partition", "berlin"], ["cut-replication", "tokyo"],
                     ["close-port", "tokyo-lb-1", "http"], ["full-disk", "tokyo-pg-1", "/var/no/such"], ["full-disk", "tokyo-pg-1", "/opt"], ["heal", "no-such"]):
            with self.subTest(argv):
                done = self.fault(*argv, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertTrue(done.stderr.startswith("lab: "), done.stderr)
                self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(self.active(), [])
