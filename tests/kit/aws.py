"""AWS on loopback for tests: moto behind HTTP, one request at a time, with faults on demand."""

import json
import sys
from collections import Counter
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import dynamodb_backends

from watchword_adapters.credentials import DynamoDBCredentials, create_credentials_table
from watchword_adapters.ledgers import DynamoDbLedger, create_table, dynamodb_table

REGION = "eu-west-1"

LONG = 3600.0
"""Seconds that a request to the emulator may take, on however slow a machine."""


def race(operation, parameters):
    """A transaction that met another one, or a single write that did."""
    if operation == "TransactWriteItems":
        reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in parameters["TransactItems"][1:])]
        return 400, {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons, "message": "canary"}
    return (400, "TransactionConflictException") if operation in ("PutItem", "UpdateItem") else "pass"


TRANSIENT = ("lost", "cut", (500, "InternalServerError"), (400, "ThrottlingException"), race)
"""What may happen to any call, and is over with the next."""


_load_file, _list_services = JSONFileLoader.load_file, Loader.list_available_services


@cache
def _model(path):
    return _load_file(JSONFileLoader(), path)


@cache
def _services(paths, type_name):
    return tuple(_list_services(Loader(extra_search_paths=paths, include_default_search_paths=False), type_name))


def _list_once(loader, type_name):
    return list(_services(tuple(loader.search_paths), type_name))


def isolate(monkeypatch):
    """Give boto3 credentials that are none, and nothing of the machine's own settings.

    What it knows of services is read once: each session would read it anew, which is most of the time that a client takes.
    """
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda _, file_path: _model(file_path))
    monkeypatch.setattr(Loader, "list_available_services", _list_once)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACANARY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")


class Aws:
    """moto on loopback.

    moto has no locks, and a transaction that fails puts the whole table back as it was before, with what others wrote
    meanwhile: so requests are let in one at a time, as if DynamoDB were always in time to put one before the other.

    *calls* counts the operations. *faults* are answered in place of the next requests: ``(status, code)``, ``(status,
    answer)``, ``"lost"`` (done, and then no answer), ``"cut"`` (not done, and no answer), ``"pass"``, or a function of
    the operation and its parameters that returns one of these.
    """

    def __init__(self):
        aws = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = aws._answer(self.headers, body)
                if reply is None:
                    self.close_connection = True
                    return
                status, headers, text = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *given):
                """Write nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, request, client_address):
                """Leave alone a client that has gone; anything else is a fault of the emulator, and shows."""
                if not isinstance(sys.exception(), ConnectionError):
                    super().handle_error(request, client_address)

        self._moto = BotocoreStubber()
        self._lock = Lock()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self.calls = Counter()
        self.faults = []

    def _answer(self, headers, body):
        service = headers["Authorization"].split("/")[3]
        operation = headers["X-Amz-Target"].rpartition(".")[2]
        with self._lock:
            self.calls[operation] += 1
            fault = self.faults.pop(0) if self.faults else "pass"
            if callable(fault):
                fault = fault(operation, json.loads(body))
            if isinstance(fault, tuple):
                status, said = fault
                said = said if isinstance(said, dict) else {"__type": f"com.amazonaws#{said}", "message": "canary"}
                return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(said).encode()
            if fault == "cut":
                return None
            kept = HTTPHeaders()
            for name, value in headers.items():
                kept[name] = value
            url = f"https://{service}.{REGION}.amazonaws.com/"
            status, given, text = self._moto.process_request(AWSPreparedRequest("POST", url, kept, body, False))
        return None if fault == "lost" else (status, given, text.encode() if isinstance(text, str) else text)

    def empty(self, table):
        """Take every item out of a table of DynamoDB."""
        with self._lock:
            self.faults.clear()
            backend = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION]
            backend.tables[table].items.clear()

    @contextmanager
    def meanwhile(self):
        """Let others in while a fault is being answered."""
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()

    def client(self, service):
        """A client of boto3."""
        config = Config(connect_timeout=LONG, read_timeout=LONG)
        return boto3.client(service, region_name=REGION, endpoint_url=self.endpoint, config=config)

    @contextmanager
    def counted(self):
        """Count the operations of the block."""
        before, during = Counter(self.calls), Counter()
        yield during
        during.update(self.calls - before)

    def close(self):
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def units_of(operation, given):
    """Return what a request costs, if its items have up to 1 KB: calls, read units and write units. What tests alone ask for costs nothing."""
    if operation in {"Scan", "DeleteItem"}:
        return Counter()
    if operation == "GetItem":
        assert given["ConsistentRead"] is True
        return Counter(calls=1, read=1)
    if operation == "BatchGetItem":
        (asked,) = given["RequestItems"].values()
        assert asked["ConsistentRead"] is True
        return Counter(calls=1, read=len(asked["Keys"]))
    if operation in {"PutItem", "UpdateItem"}:
        assert "ConditionExpression" in given
        return Counter(calls=1, write=1)
    return Counter(calls=1, write=2 * len(given["TransactItems"]))


def metered(aws, monkeypatch, look=lambda operation, given: None):
    """Return a function that makes a call and returns what that spent: calls, read units and write units; *look* sees each request."""
    units, pass_on = Counter(), aws._moto.process_request

    def counting(request):
        operation, given = request.headers["X-Amz-Target"].rpartition(".")[2], json.loads(request.body)
        look(operation, given)
        units.update(units_of(operation, given))
        return pass_on(request)

    def spent(call):
        units.clear()
        call()
        return tuple(units[name] for name in ("calls", "read", "write"))

    monkeypatch.setattr(aws._moto, "process_request", counting)
    return spent


def patient(aws, table, clock=None):
    """A ledger on a new table that waits long by boto3's time, and by *clock*: the emulator lets one request in at a time, on a machine that may be busy."""
    _created(aws, create_table, table)
    return _patient(DynamoDbLedger(table, region=REGION, endpoint=aws.endpoint, clock=clock))


def patient_credentials(aws, table, clock=None):
    """A store of credentials on a new table that waits as long as a `patient` ledger."""
    _created(aws, create_credentials_table, table)
    return _patient(DynamoDBCredentials(table, region=REGION, endpoint=aws.endpoint, clock=clock))


def _created(aws, create, table):
    admin = aws.client("dynamodb")
    create(admin, table)
    admin.close()


def _patient(store):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamodb_table, "_READ", LONG)
        patch.setattr(dynamodb_table, "_CONNECT", LONG)
        store.prepare()
    return store
