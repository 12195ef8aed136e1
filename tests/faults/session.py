"""A server and its client in one process: two detection jobs, a verdict on each detection, and the results as files.

Started by `server` as `session.py RUN RECORDINGS OUT`. It is `aurist serve` but for its port. Started again after a
kill it first looks whether all that was acknowledged is still there, and goes on. The server's folder is OUT/.state.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from aurist import cli
from aurist.run import ModelFiles
from aurist.serve import running
from aurist.serve.app import create_app
from aurist.serve.job_file import DONE, FAILED, RUNNING, WAITING
from aurist.serve.options import ServeOptions

#: The jobs: their recordings by name.
JOBS = (("0.wav", "1.wav"), ("2.wav",))
#: The host name of the server, and the seconds that a job may take.
HOST, SECONDS = "http://127.0.0.1:8765", 120


class Session:
    """The client, with a journal of what the server acknowledged."""

    def __init__(self, client: TestClient, recordings: Path, out: Path) -> None:
        self.client, self.recordings, self.out = client, recordings, out
        self.journal = out / ".acknowledged"
        self.acknowledged = [json.loads(line) for line in _lines(self.journal)]

    def ask(self, method: str, address: str, **parts: Any) -> Any:
        """Send a request; end with the server's message if it is refused."""
        answer = self.client.request(method, f"/v1/{address}", **parts)
        if answer.status_code >= 400:
            sys.exit(f"aurist: {answer.json()['error']['message']}")
        return answer

    def acknowledge(self, *what: str) -> None:
        """Remember what the server has answered; the flush of a file would be a moment of its own."""
        with self.journal.open("a") as file:
            file.write(json.dumps(what) + "\n")

    def jobs(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """Give the server's jobs by the names of their recordings."""
        listed = self.ask("GET", "detect").json()
        return {tuple(sound["name"] for sound in job["recordings"]): job for job in listed}

    def check(self) -> None:
        """End with an error if something that was acknowledged is lost."""
        jobs = {job["id"]: job for job in self.jobs().values()}
        verdicts = {key: one["verdict"] for job in jobs for key, one in self.judged(job).items()}
        for kind, key, value in self.acknowledged:
            state = jobs.get(key, {}).get("state", "")
            is_there = verdicts.get(key) == value if kind == "verdict" else state
            if not is_there or (kind == "done" and state != DONE):
                sys.exit(f"lost: {kind} {key}")

    def judged(self, job_id: str) -> dict[str, dict[str, Any]]:
        """Give the detections of a job by their keys, if it is done."""
        if job_id not in [review["id"] for review in self.ask("GET", "review").json()]:
            return {}
        listed = self.ask("GET", f"review/{job_id}/queue", params={"open_only": False, "count": 2000}).json()
        return {one["key"]: one for one in listed["detections"]}

    def submit(self, names: tuple[str, ...]) -> None:
        """Send a job that the server does not have, or that it could not finish."""
        job = self.jobs().get(names)
        if job is not None and job["state"] == FAILED:
            self.ask("DELETE", f"detect/{job['id']}")
            job = None
        if job is None:
            files = [("files", (name, (self.recordings / name).read_bytes())) for name in names]
            job = self.ask("POST", "detect", params={"window": 0.5}, files=files).json()
            self.acknowledge("job", job["id"], "")

    def finish(self, names: tuple[str, ...]) -> str:
        """Wait for a job; give its id."""
        until = time.monotonic() + SECONDS
        while (job := self.jobs()[names])["state"] in (WAITING, RUNNING):
            if time.monotonic() > until:
                sys.exit("the job does not end")
            time.sleep(0.02)
        if job["state"] != DONE:
            sys.exit(f"aurist: {job['message']}")
        self.acknowledge("done", job["id"], "")
        return str(job["id"])

    def judge(self, job_id: str) -> None:
        """Give a verdict on each detection that has none."""
        for number, (key, detection) in enumerate(self.judged(job_id).items()):
            if not detection["verdict"]:
                verdict = ("yes", "no", "?")[number % 3]
                self.ask("PUT", f"review/{job_id}/verdicts", json={"key": key, "verdict": verdict})
                self.acknowledge("verdict", key, verdict)

    def fetch(self, number: int, job_id: str) -> None:
        """Write the results of a job as files."""
        for name, address in (
            ("windows", f"detect/{job_id}/files/windows"),
            ("verdicts", f"review/{job_id}/annotations.csv"),
        ):
            (self.out / f"{name}-{number}.csv").write_bytes(self.ask("GET", address).content)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def use(app: FastAPI, recordings: Path, out: Path) -> None:
    """Do all that a client does."""
    with TestClient(app, base_url=HOST, raise_server_exceptions=False) as client:
        session = Session(client, recordings, out)
        session.check()
        for names in JOBS:
            session.submit(names)
        for number, job_id in enumerate([session.finish(names) for names in JOBS]):
            session.judge(job_id)
            session.fetch(number, job_id)


def main(run: str, recordings: str, output: str) -> None:
    def serve(files: ModelFiles, options: ServeOptions, _: object) -> None:
        use(create_app(files, options), Path(recordings), Path(output))

    running.serve = serve
    sys.argv = ["aurist", "serve", run, "--state", f"{output}/.state", "--jobs", "1"]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
