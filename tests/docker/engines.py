"""An engine of the tests' own, which they may stop and kill, and ways to reach it from afar.

It never touches the machine's engine: it has folders, a socket and a bridge of its own. (With
``--bridge=none`` instead, a daemon removes docker0, which is the machine's.)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

_UP_WITHIN_S = 120.0


class NoEngine(Exception):
    """This machine can't have a second engine, and why."""


class PrivateEngine:
    """A second dockerd, behind a Unix socket and, with TLS, a TCP port."""

    def __init__(self, folder: Path) -> None:
        """Raises NoEngine."""
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.port = free_port()
        self._bridge = f"rq{os.getpid()}"
        self._process: subprocess.Popen[bytes] | None = None
        if os.getuid() != 0:
            raise NoEngine("only root can start one")
        for program in ("dockerd", "ip", "openssl"):
            if shutil.which(program) is None:
                raise NoEngine(f"there is no {program}")
        self.certificates = make_certificates(folder / "certificates")
        self._need("ip", "link", "add", self._bridge, "type", "bridge")
        self._need("ip", "address", "add", "192.0.2.1/24", "dev", self._bridge)

    def start(self, programs: Path | None = None) -> None:
        """Start it and wait until it answers. Raises NoEngine with the last lines of its log.

        ``programs`` is a folder where it looks for programs first.
        """
        path = f"{programs}:{os.environ['PATH']}" if programs else os.environ["PATH"]
        certificates = self.certificates
        command = [
            "dockerd", "--host", f"unix://{self.socket}", "--host", f"tcp://127.0.0.1:{self.port}",
            "--tlsverify", "--tlscacert", f"{certificates}/ca.pem",
            "--tlscert", f"{certificates}/server-cert.pem",
            "--tlskey", f"{certificates}/server-key.pem",
            "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec",
            "--pidfile", f"{self.folder}/pid", "--bridge", self._bridge, "--iptables=false",
            "--ip-forward=false", "--ip-masq=false",
        ]  # fmt: skip
        for left in ("pid", "exec/containerd/containerd.pid"):  # by one that was killed
            (self.folder / left).unlink(missing_ok=True)
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PATH": path},
            )  # fmt: skip
        end = time.monotonic() + _UP_WITHIN_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise NoEngine(" / ".join((self.folder / "log").read_text().splitlines()[-3:]))
            time.sleep(0.1)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(5)
            asking.connect(str(self.socket))
            asking.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in asking.recv(100)
        return False

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        made = docker.DockerClient(base_url=f"unix://{self.socket}", version="1.40", timeout=120)
        try:
            yield made
        finally:
            made.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal and wait for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """End it and everything that it has left."""
        self.stop()
        # What belongs to a daemon that was killed: its containerd and its containers' shims.
        for pid in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if str(self.folder).encode() in (pid / "cmdline").read_bytes():
                    os.kill(int(pid.name), signal.SIGKILL)
        for mount in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if mount.split()[1].startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", mount.split()[1]], check=False)
        subprocess.run(["ip", "link", "delete", self._bridge], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _need(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoEngine(f"{' '.join(command[:4])}: {done.stderr.strip()}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def make_certificates(folder: Path) -> Path:
    """A certificate authority, and a certificate of it for each side; docker's own file names."""
    folder.mkdir(parents=True)
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n"
    (folder / "names").write_text(names)
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    _quietly(
        [
            *new,
            "-x509",
            "-days",
            "2",
            "-subj",
            "/CN=test",
            "-keyout",
            "ca-key.pem",
            "-out",
            "ca.pem",
        ],
        folder,
    )
    for name in ("server-", ""):
        key, request, made = f"{name}key.pem", f"{name}request", f"{name}cert.pem"
        _quietly([*new, "-subj", "/CN=localhost", "-keyout", key, "-out", request], folder)
        sign = ["openssl", "x509", "-req", "-days", "2", "-in", request, "-CA", "ca.pem"]
        sign += ["-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "names", "-out", made]
        _quietly(sign, folder)
    return folder


def _quietly(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoEngine(f"{' '.join(command[:2])}: {done.stderr.strip()[-200:]}")


class Sshd:
    """A server for root on this machine, with a throw-away key, whose docker is the engine's.

    ``path`` has to come first in PATH: the ssh there knows the key and the host.
    """

    def __init__(self, folder: Path, engine: PrivateEngine) -> None:
        """Raises NoEngine."""
        server = shutil.which("sshd") or "/usr/sbin/sshd"
        if not os.path.exists(server):
            raise NoEngine("there is no sshd (apt-get install openssh-server)")
        self.port = free_port()
        self.path = folder / "bin"
        self._folder = folder
        self._keys()
        self._configure(engine)
        Path("/run/sshd").mkdir(exist_ok=True)  # it wants this folder
        self._process = subprocess.Popen(
            [server, "-D", "-E", folder / "sshd.log", "-f", folder / "sshd_config"],
            stdin=subprocess.DEVNULL,
        )
        self._await()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _keys(self) -> None:
        self._folder.mkdir(mode=0o700)
        for name in ("host", "user"):
            _quietly(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name], self._folder)
        (self._folder / "authorized").write_text((self._folder / "user.pub").read_text())
        host = " ".join((self._folder / "host.pub").read_text().split()[:2])
        (self._folder / "known").write_text(f"[127.0.0.1]:{self.port} {host}\n")

    def _configure(self, engine: PrivateEngine) -> None:
        folder = self._folder
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
            "PermitRootLogin prohibit-password\nMaxStartups 200\n"
            f"SetEnv DOCKER_HOST=unix://{engine.socket} PATH={os.environ['PATH']}\n"
        )
        (folder / "ssh_config").write_text(
            f"IdentityFile {folder}/user\nUserKnownHostsFile {folder}/known\nBatchMode yes\n"
        )
        self.path.mkdir()
        wrapper = self.path / "ssh"
        ssh = shutil.which("ssh")
        wrapper.write_text(f'#!/bin/sh\nexec {ssh} -F {folder}/ssh_config "$@"\n')
        wrapper.chmod(0o755)

    def _await(self) -> None:
        end = time.monotonic() + 120
        command = [self.path / "ssh", "-p", str(self.port), "root@127.0.0.1", "docker", "version"]
        while True:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            if time.monotonic() > end:
                self.close()
                raise NoEngine(f"ssh: {done.stderr.strip()[-300:]}")
            time.sleep(0.2)


class Relay:
    """A TCP port that leads to another, until it breaks off."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def break_off(self) -> None:
        """End every connection there is; new ones are taken."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_off()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(self._to)
                self._ends += [here, there]
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)


def cannot(reason: object) -> Any:
    """Skip with the reason, or fail where nothing may be skipped."""
    said = f"NOT TESTED, no engine of the tests' own: {reason}"
    if os.environ.get("REPLIQUANT_TEST_DOCKER") == "1":
        pytest.fail(said)
    pytest.skip(said)
