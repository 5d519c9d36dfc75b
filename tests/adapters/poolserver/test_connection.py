"""The served pool over real sockets: slow and greedy clients, triggers that call back, and the end."""

import errno
import http.client
import json
import socket
import ssl
import threading
import urllib.error
import urllib.request
from contextlib import closing
from email.utils import formatdate

import pytest

from kit.pool_server import START, listening, pool_with_ann, said_to
from kit.user_pool import CodeByMail
from watchword.errors import ConfigurationError
from watchword_adapters.poolserver import serving
from watchword_adapters.poolserver.http import connection
from watchword_adapters.poolserver.http.application import Application
from watchword_adapters.poolserver.http.certificate import make_certificate
from watchword_adapters.poolserver.http.json_protocol import PREFIX
from watchword_adapters.poolserver.http.server import endpoint_of, hosts_of, open_sockets, port_of, running


@pytest.fixture(scope="module")
def port():
    """A server for those tests that change nothing about it."""
    with listening(lambda hosts: Application(pool_with_ann(), hosts, body_seconds=3600)) as port:
        yield port


@pytest.fixture(scope="module")
def impatient():
    """A server that waits for a body for a moment only."""
    with listening(lambda hosts: Application(pool_with_ann(), hosts, body_seconds=0.2)) as port:
        yield port


def test_a_reply_is_dated_once_by_the_pools_clock(port):
    """Clients count from it how long an answer is good; the pool's clock may be ahead of the machine's."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        client.request("GET", "/")
        reply = client.getresponse()
        reply.read()
    dates = reply.headers.get_all("Date")
    assert [formatdate(START, usegmt=True)] == dates


def begin(port, client, name="ann", *, host="127.0.0.1"):
    """Begin a sign-in over a connection of its own."""
    link = http.client.HTTPConnection(host, port)
    body = {"ClientId": client, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": name}}
    link.request("POST", "/", json.dumps(body), {"X-Amz-Target": f"{PREFIX}InitiateAuth"})
    response = link.getresponse()
    answered = response.status, json.loads(response.read())
    link.close()
    return answered


def test_a_client_that_sends_nothing_is_cut_off(port, monkeypatch):
    """An open connection costs memory; it is not kept for somebody who says nothing."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    assert said_to(port, b"") == b""


def test_a_head_that_drips_is_cut_off(port, monkeypatch):
    """Headers that never end hold a connection no longer than silence does."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    assert said_to(port, b"POST / HTTP/1.1\r\nHost: a\r\nX-Slow: ") == b""


def test_a_second_head_that_drips_is_cut_off_too(port, monkeypatch):
    """A connection that was used before is treated as a new one."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    first = b"OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port
    received = said_to(port, first + b"POST / HTTP/1.1\r\nX-Slow: ")
    assert received.startswith(b"HTTP/1.1 204")
    assert received.count(b"HTTP/1.1") == 1


def test_a_head_without_end_is_refused(port):
    """It is not collected in memory."""
    received = said_to(port, b"POST / HTTP/1.1\r\n", more=[b"X-Large: " + b"a" * 65536] * 2)
    assert received.startswith((b"HTTP/1.1 431", b""))
    assert b"200" not in received[:20]


def test_a_connection_outlives_the_time_for_a_head(port, monkeypatch):
    """The limit is on a head, not on a connection: what was sent in time is answered in any time."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    reached, go_on = threading.Event(), threading.Event()

    class Slow(CodeByMail):
        def define(self, event, context):
            reached.set()
            go_on.wait()
            return super().define(event, context)

    pool = pool_with_ann(Slow())
    with listening(lambda hosts: Application(pool, hosts)) as slow_port:
        answers = []
        asking = threading.Thread(target=lambda: answers.append(begin(slow_port, pool.client_id)))
        asking.start()
        assert reached.wait()
        # Another client is cut off meanwhile, which takes as long as the limit.
        assert said_to(slow_port, b"") == b""
        go_on.set()
        asking.join()
    assert answers[0][0] == 200


def test_a_body_that_drips_is_refused_in_cognito_s_shape(impatient):
    """The head is there, so there is somebody to answer; the connection is closed behind it."""
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 10\r\n\r\n{" % impatient
    received = said_to(impatient, head)
    assert received.startswith(b"HTTP/1.1 408")
    assert b'"__type": "RequestTimeoutException"' in received


def test_a_giant_body_is_refused_in_cognito_s_shape(port):
    """Over a real connection the client gets to read why."""
    size = 3 * 1024 * 1024
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n\r\n" % (port, size)
    received = said_to(port, head, more=[b"a" * 65536] * (size // 65536))
    assert received.startswith(b"HTTP/1.1 413")
    assert b"RequestEntityTooLargeException" in received


CHUNKED = b" / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Amz-Target: X\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "without_end",
    [b"0\r\n" + b"X-More: a\r\n" * 7000, b"0\r\nX-More: " + b"a" * 70_000, b"2;" + b"x" * 70_000],
    ids=["trailers", "one trailer", "chunk extension"],
)
@pytest.mark.parametrize("method", [b"POST", b"GET", b"OPTIONS"])
def test_no_part_of_a_request_is_without_end(port, method, without_end):
    """What is neither head nor body is bounded with them: it is not collected, and the connection is closed."""
    received = said_to(port, method + CHUNKED % port, more=[without_end] * 4)
    assert b"200" not in received[:20]
    assert received.count(b"HTTP/1.1") <= 2


@pytest.mark.parametrize(
    "rest", [b"2\r\n{", b"2\r\n{}\r\n0\r\nX-Slow: ", b"2;slow"], ids=["body", "trailer", "extension"]
)
@pytest.mark.parametrize("method", [b"POST", b"GET", b"OPTIONS"])
def test_no_part_of_a_request_drips(impatient, monkeypatch, method, rest):
    """A client that never finishes is cut off, also where the answer needs no body."""
    monkeypatch.setattr(connection, "REST_SECONDS", 0.3)
    received = said_to(impatient, method + CHUNKED % impatient + rest)
    assert received.count(b"HTTP/1.1") <= 1


def test_a_body_that_nobody_asked_for_has_an_end_too(port):
    """A GET is answered at once; what goes on behind it is not read for ever."""
    received = said_to(port, b"GET" + CHUNKED % port, more=[b"100000\r\n" + b"a" * 0x100000 + b"\r\n"] * 40)
    assert received.count(b"HTTP/1.1") <= 2


def test_a_trailer_is_no_header(port):
    """RFC 9110: it must not be merged; else it could say what was checked before it came."""
    body = b'{"AccessToken":"a.b.c"}'
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" % port
    target = b"X-Amz-Target: %sGetUser\r\n" % PREFIX.encode()
    received = said_to(port, head + b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, target))
    assert b'"__type": "UnknownOperationException"' in received


def test_a_body_in_small_chunks_is_read(port):
    """Clients that stream send it so; trailers do no harm."""
    body = b'{"AccessToken":"a.b.c"}'
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nTransfer-Encoding: chunked\r\nX-Amz-Target: %sGetUser\r\n"
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in body)
    whole = head % (port, PREFIX.encode()) + b"\r\n" + chunks + b"0\r\nX-Checksum: 7\r\n\r\n"
    received = said_to(port, whole + whole.replace(b"X-Amz", b"Connection: close\r\nX-Amz", 1))
    assert received.count(b'"__type": "NotAuthorizedException"') == 2


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x00\x05hello", b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100]
)
def test_what_is_no_http_ends_the_connection_alone(port, data):
    """The server goes on; nothing is told of its inside."""
    received = said_to(port, data)
    assert b"Traceback" not in received
    assert (
        said_to(port, b"OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port)[9:12] == b"204"
    )


def test_header_names_come_in_any_case(port):
    """HTTP's headers have no case, and clients differ."""
    body = b'{"AccessToken":"a.b.c"}'
    data = b"POST / HTTP/1.1\r\nHOST: 127.0.0.1:%d\r\nx-AMZ-target: %sGetUser\r\ncontent-LENGTH: %d\r\nConnection: close\r\n\r\n"
    received = said_to(port, data % (port, PREFIX.encode(), len(body)) + body)
    assert b'"__type": "NotAuthorizedException"' in received


def test_a_trigger_that_calls_back_does_not_deadlock():
    """Many at once do so over HTTP, from inside of Create, as handlers do that look up their user."""
    ports = []

    class CallsBack(CodeByMail):
        def create(self, event, context):
            body = json.dumps({"UserPoolId": event["userPoolId"], "Username": event["userName"]})
            link = http.client.HTTPConnection("127.0.0.1", ports[0])
            link.request("POST", "/", body, {"X-Amz-Target": f"{PREFIX}AdminGetUser"})
            found = json.loads(link.getresponse().read())
            link.close()
            assert found["UserStatus"] == "CONFIRMED"
            return super().create(event, context)

    pool = pool_with_ann(CallsBack())
    with listening(lambda hosts: Application(pool, hosts)) as port:
        ports.append(port)
        answers = []
        clients = [threading.Thread(target=lambda: answers.append(begin(port, pool.client_id))) for _ in range(20)]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
    assert [status for status, _ in answers] == [200] * 20


def test_a_client_that_goes_away_harms_nobody():
    """Its call is carried out, and the next client is answered."""
    reached, go_on = threading.Event(), threading.Event()

    class Slow(CodeByMail):
        def define(self, event, context):
            if event["userName"] == "ann":
                reached.set()
                go_on.wait()
            return super().define(event, context)

    pool = pool_with_ann(Slow())
    with listening(lambda hosts: Application(pool, hosts)) as port:
        body = json.dumps(
            {"ClientId": pool.client_id, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": "ann"}}
        )
        head = f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\nX-Amz-Target: {PREFIX}InitiateAuth\r\n"
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            assert reached.wait()
        go_on.set()
        assert begin(port, pool.client_id, "bob")[0] == 200


def test_serving_ends_although_a_trigger_hangs(monkeypatch):
    """Its thread is left to itself and its client told so; the server is gone from the port."""
    monkeypatch.setattr("watchword_adapters.poolserver.http.server._GRACE_SECONDS", 0)
    reached, go_on = threading.Event(), threading.Event()

    class Hangs(CodeByMail):
        def define(self, event, context):
            reached.set()
            go_on.wait()
            return super().define(event, context)

    pool = pool_with_ann(Hangs())

    answers = []
    with listening(lambda hosts: Application(pool, hosts)) as port:
        asking = threading.Thread(target=lambda: answers.append(begin(port, pool.client_id)))
        asking.start()
        assert reached.wait()
    go_on.set()
    asking.join()
    assert [(status, body["__type"]) for status, body in answers] == [(500, "InternalErrorException")]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_pool_is_served_at_an_endpoint_of_its_own():
    """In a program or a test, one line does it; the pool may depend on the endpoint."""
    with (
        serving(lambda endpoint: pool_with_ann(issuer=f"{endpoint}/us-east-1_AbCdEf123")) as endpoint,
        urllib.request.urlopen(f"{endpoint}/us-east-1_AbCdEf123/.well-known/openid-configuration") as response,
    ):
        configuration = json.load(response)
    assert configuration["issuer"].startswith(endpoint)
    assert configuration["jwks_uri"].startswith(endpoint)


def test_localhost_leads_there_by_both_protocols():
    """Some clients take ``localhost`` for ::1; where the machine has that, it is listened to as well."""
    sockets = open_sockets(None, 0)
    pool = pool_with_ann()
    families = {each.family for each in sockets}
    with running(Application(pool, hosts_of(sockets)), sockets):
        for host in ["127.0.0.1", "localhost", *(["::1"] if socket.AF_INET6 in families else [])]:
            assert begin(port_of(sockets), pool.client_id, host=host)[0] == 200


def test_nobody_but_this_machine_is_listened_to():
    """Unless an address is given, the sockets are those of loopback."""
    sockets = open_sockets(None, 0)
    assert {each.getsockname()[0] for each in sockets} <= {"127.0.0.1", "::1"}
    for each in sockets:
        each.close()


def test_a_port_that_is_taken_is_named():
    """The message says which, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port} .* --port"):
            open_sockets(None, port)


def test_a_port_that_is_taken_at_one_of_the_two_addresses_is_named_too(monkeypatch):
    """Whoever opens ``localhost`` would be led to another program, with the token of the address. A free port is free at both."""
    create, ports = socket.create_server, []

    def taken_at_first(address, **more):
        if address[0] == "::1":
            ports.append(address[1])
            if address[1] == ports[0]:
                raise OSError(errno.EADDRINUSE, "Address already in use")
            raise OSError(errno.EADDRNOTAVAIL, "there is no IPv6")
        return create(address, **more)

    monkeypatch.setattr(socket, "create_server", taken_at_first)
    (free,) = open_sockets(None, 0)
    assert ports[0] != ports[-1] == free.getsockname()[1]
    free.close()
    with pytest.raises(ConfigurationError, match=f"port {ports[0]} of ::1, .* --port"):
        open_sockets(None, ports[0])
    create(("127.0.0.1", ports[0])).close()


@pytest.mark.parametrize(("host", "port"), [(None, -1), (None, 65536), ("no such host.invalid", 0), ("\u0000", 0)])
def test_an_address_that_is_none_is_refused(host, port):
    """As a setting that is wrong, not as a crash."""
    with pytest.raises(ConfigurationError, match="--port"):
        open_sockets(host, port)


def test_the_hosts_are_the_names_of_loopback_with_the_port():
    """An address that was given is one more; one that stands for all of them leaves nothing to compare with."""
    sockets = open_sockets("127.0.0.1", 0)
    port = port_of(sockets)
    names = {f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"}
    assert hosts_of(sockets) == names
    assert hosts_of(sockets, "Box.example") == {*names, f"box.example:{port}", f"[box.example]:{port}"}
    assert hosts_of(sockets, "0.0.0.0") is None
    assert endpoint_of(sockets, "0.0.0.0") == f"http://127.0.0.1:{port}"
    assert endpoint_of(sockets, "::1", tls=True) == f"https://[::1]:{port}"
    for each in sockets:
        each.close()


def test_https_is_served_with_a_certificate_that_clients_can_trust(tmp_path):
    """Every name of loopback is in it, and verification is on."""
    certificate, key = make_certificate(["localhost", "127.0.0.1", "::1"])
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(certificate)
    files[1].write_bytes(key)
    trusting = ssl.create_default_context(cafile=files[0])
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    sockets = open_sockets(None, 0)
    pool = pool_with_ann()
    with running(Application(pool, hosts_of(sockets, tls=True)), sockets, certificate=files):
        for name in ("localhost", "127.0.0.1"):
            link = http.client.HTTPSConnection(name, port_of(sockets), context=trusting)
            link.request("GET", f"/{pool.pool_id}/.well-known/jwks.json")
            response = link.getresponse()
            assert response.status == 200
            response.read()
            link.close()
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(f"https://localhost:{port_of(sockets)}/")
