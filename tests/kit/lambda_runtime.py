"""Lambda's Runtime API on the loopback: runs a function's folder under the real runtime client, awslambdaric."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

PREFIX = "/2018-06-01/runtime"
PATIENCE = 60


class Answer(Exception):  # noqa: N818 - what the function ended with
    """Raised if the function, or its initialisation, ended with an error; `text` is what Cognito would show."""

    def __init__(self, said):
        super().__init__(said.get("errorMessage", ""))
        self.text = said.get("errorMessage", "")
        self.kind = said.get("errorType", "")


class Function:
    """A function that runs. `started` has the milliseconds until it asked for its first event."""

    def __init__(self, process, events, answers, started):
        self._process, self._events, self._answers, self._started = process, events, answers, started
        self._calls = 0

    @property
    def started(self):
        """Wall and processor milliseconds from the start of the process to its first request for an event."""
        return self._started

    def __call__(self, event):
        """Give it *event*; return what it answers."""
        self._calls += 1
        self._events.put((str(self._calls), json.dumps(event).encode()))
        return self._said()

    def timed(self, event):
        """Give it *event*; return the microseconds until its answer is there."""
        before = time.perf_counter_ns()
        self(event)
        return (time.perf_counter_ns() - before) / 1000

    def _said(self):
        said = self._answers.get(timeout=PATIENCE)
        if isinstance(said, Answer):
            raise said
        return said


@contextmanager
def function(folder, handler, environment=(), python=sys.executable):
    """Run the function in *folder* under awslambdaric, as Lambda does; it is gone afterwards."""
    events, answers, over, started = Queue(), Queue(), Event(), {}

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self):
            if not started:
                started["wall"] = (time.perf_counter_ns() - begun) / 1e6
                started["cpu"], started["peak"] = _spent(process.pid)
                answers.put("ready")
            while not over.is_set():
                with suppress(Empty):
                    number, body = events.get(timeout=0.05)
                    self.answered(
                        200,
                        body,
                        {
                            "Lambda-Runtime-Aws-Request-Id": number,
                            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 5000),
                            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:acme",
                        },
                    )
                    return
            self.close_connection = True

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
            answers.put(body if self.path.endswith("/response") else Answer(body))
            self.answered(202, b"{}", {})

        def answered(self, status, body, headers):
            with suppress(OSError):
                self.send_response(status)
                for name, text in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

        def log_message(self, *_):
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            """Leave alone a function that has gone; anything else shows."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    with Server(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "WATCHWORD_", "PYTHON"))
        }
        begun = time.perf_counter_ns()
        process = subprocess.Popen(
            [python, "-m", "awslambdaric", handler],
            cwd=folder,
            env={
                **kept,
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": "acme",
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "example",
                "AWS_SECRET_ACCESS_KEY": "example",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "_HANDLER": handler,
                "LAMBDA_TASK_ROOT": str(folder),
                "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
                **dict(environment),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = []
        reader = Thread(target=lambda: said.append(process.stdout.read()), daemon=True)
        reader.start()
        made = Function(process, events, answers, started)
        made.log = lambda: (process.kill(), reader.join(PATIENCE), said[0].decode())[2]
        try:
            first = answers.get(timeout=PATIENCE)
            if isinstance(first, Answer):
                raise first
            yield made
        finally:
            over.set()
            process.kill()
            process.wait()
            reader.join(PATIENCE)
            process.stdout.close()
            server.shutdown()


def _spent(pid):
    """Return the processor milliseconds and the peak MiB of a process so far; nothing where the system does not tell."""
    try:
        cpu = sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6
        peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
        return cpu, int(peak.split()[1]) / 1024
    except (OSError, StopIteration):
        return 0.0, 0.0
