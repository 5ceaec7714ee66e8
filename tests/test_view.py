"""`clearset view`: for this machine and this person alone; it saves what is well formed."""

import http.client
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from browsing import chromium, opened
from clearset.commands.view import listening
from clearset.page.server import Server, Site
from clearset.store import tables
from clearset.store.errors import ClearsetError

RULED = b"image_id,decision,note\na,drop,\n"


def refused() -> str:
    raise ClearsetError("no experiments here")


@pytest.fixture
def server(in_folder: Path) -> Iterator[Server]:
    page = Path("data/report/eyes/index.html")
    page.parent.mkdir(parents=True)
    page.write_text("<p>page</p>", "utf-8")
    (page.parent / "secret.csv").write_text("no picture", "utf-8")
    Path("secret.html").write_text("beside", "utf-8")
    site = Site(
        page=PurePosixPath(page.as_posix()),
        folders=(PurePosixPath("data/report/eyes"),),
        review=Path("conf/review/eyes.csv"),
        release=lambda: "released",
        experiments=refused,
    )
    with running(site) as started:
        yield started


@contextmanager
def running(site: Site) -> Iterator[Server]:
    with Server(site) as started:
        thread = threading.Thread(target=started.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def asked(
    server: Server,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str, Mapping[str, str]]:
    link = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    own = {"Origin": f"http://127.0.0.1:{server.server_port}"} | dict(headers or {})
    place = path if path.startswith("//") else f"/{server.site.token}/{path}"
    link.request(
        method,
        place.removeprefix("/" * place.startswith("//")),
        body,
        {name: value for name, value in own.items() if value},
    )
    answer = link.getresponse()
    text = answer.read().decode()
    link.close()
    return answer.status, text, dict(answer.headers)


def test_the_page_is_served_below_a_secret_and_on_loopback_alone(server: Server) -> None:
    status, text, headers = asked(server, "data/report/eyes/index.html")
    assert (status, text) == (200, "<p>page</p>")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in headers
    assert server.server_address[0] == "127.0.0.1"
    for place in ("//guessed/data/report/eyes/index.html", "//data/report/eyes/index.html", "//"):
        assert asked(server, place)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "secret.html",
        "data/report/eyes/secret.csv",
        "data/report/eyes/../../../secret.html",
        "data/report/eyes/%2e%2e/%2e%2e/%2e%2e/secret.html",
        "data/report/eyes//index.html",
        "/etc/passwd.html",
        "data/report/eyes/index.html%00.png",
        "data/report/eyes/..%5c..%5csecret.html",
        "data/report/eyes",
    ],
)
def test_nothing_but_pages_and_pictures_of_the_dataset_is_served(server: Server, path: str) -> None:
    assert asked(server, path)[0] == 404


def test_another_name_of_this_machine_finds_nothing(server: Server) -> None:
    headers = {"Host": f"evil.example:{server.server_port}"}
    assert asked(server, "data/report/eyes/index.html", headers=headers)[0] == 404


def test_rulings_are_saved_if_they_are_well_formed(server: Server) -> None:
    _, text, headers = asked(server, "api/rulings")
    assert text == ""
    known = {"If-Match": headers["ETag"]}
    status, text, _ = asked(server, "api/rulings", "PUT", b"a,b\n1,2\n", known)
    assert status == 400
    assert "conf/review/eyes.csv, line 1: the columns are" in text
    assert not server.site.review.exists()
    status, _, headers = asked(server, "api/rulings", "PUT", RULED, known)
    assert status == 200
    assert server.site.review.read_bytes() == RULED
    assert asked(server, "api/rulings")[1].encode() == RULED
    assert [path.name for path in Path("conf/review").iterdir()] == ["eyes.csv"]


def test_what_another_program_wrote_meanwhile_is_not_lost(server: Server) -> None:
    tag = asked(server, "api/rulings")[2]["ETag"]
    server.site.review.parent.mkdir(parents=True)
    server.site.review.write_bytes(RULED)
    status, text, _ = asked(server, "api/rulings", "PUT", b"", {"If-Match": tag})
    assert status == 412
    assert "changed by another program" in text
    assert server.site.review.read_bytes() == RULED


@pytest.mark.parametrize("origin", ["", "http://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize(("path", "method"), [("api/rulings", "PUT"), ("api/release", "POST")])
def test_another_origin_changes_nothing(
    server: Server, origin: str, path: str, method: str
) -> None:
    tag = asked(server, "api/rulings")[2]["ETag"]
    headers = {"Origin": origin, "If-Match": tag}
    assert asked(server, path, method, RULED, headers)[0] == 403
    assert not server.site.review.exists()


def test_a_flood_is_not_read(server: Server) -> None:
    tag = asked(server, "api/rulings")[2]["ETag"]
    headers = {"If-Match": tag, "Content-Length": str(2**40)}
    assert asked(server, "api/rulings", "PUT", b"", headers)[0] == 403


def test_what_does_not_arrive_whole_is_not_saved(server: Server) -> None:
    tag = asked(server, "api/rulings")[2]["ETag"]
    host = f"127.0.0.1:{server.server_port}"
    head = f"PUT /{server.site.token}/api/rulings HTTP/1.1\r\nHost: {host}\r\nIf-Match: {tag}\r\n"
    head += f"Origin: http://{host}\r\nContent-Length: {len(RULED) + 9}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as link:
        link.sendall(head.encode() + RULED)
        link.shutdown(socket.SHUT_WR)
        assert b" 403 " in link.recv(1000)
    assert not server.site.review.exists()


def test_a_stranger_is_not_listened_to_for_long(server: Server) -> None:
    length = {"Content-Length": str(2**20)}
    assert asked(server, "//guessed/api/rulings", "PUT", b"", length)[0] == 403
    assert asked(server, "api/rulings", "PUT", b"", length | {"Origin": "null"})[0] == 403
    assert asked(server, "api/rulings", "PUT", None, {"Transfer-Encoding": "chunked"})[0] == 403


def test_only_a_file_is_read(server: Server) -> None:
    os.mkfifo("data/report/eyes/waits.png")
    assert asked(server, "data/report/eyes/waits.png")[0] == 404


def test_a_name_that_is_no_path_here_is_not_found(server: Server) -> None:
    assert asked(server, f"data/report/eyes/{'n' * 300}.png")[0] == 404


def test_what_stops_is_said(server: Server) -> None:
    assert asked(server, "api/release", "POST", b"")[:2] == (200, "released")
    assert asked(server, "api/experiments")[:2] == (409, "no experiments here")


def test_decisions_go_straight_into_the_review_file_and_a_button_releases(project: Path) -> None:
    process = subprocess.Popen(
        ["clearset", "view", "sample", "--no-browser"],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:\S+", process.stdout.readline())
        assert found
        with chromium() as browser, opened(browser, found[0], offline=False) as sheet:
            view = sheet.at("decide")
            view.locator("#release").wait_for()
            image_id = view.locator("#queue .item b").nth(1).inner_text()
            view.keyboard.press("j")
            view.keyboard.press("3")
            view.locator("#release").click()
            view.locator("#keys[open]").wait_for(timeout=60_000)
            assert "release: " in view.locator("#keys").inner_text()
            assert sheet.said == []
        review = (project / "conf/review/sample.csv").read_text("utf-8")
        assert f"{image_id},drop," in review
        manifest = tables.read("manifest", project / "data/release/sample").set_index("image_id")
        assert manifest.loc[image_id, "decision"] == "dropped"
        process.send_signal(signal.SIGINT)
        assert "decisions are in conf/review/sample.csv" in process.communicate(timeout=20)[0]
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_a_port_that_is_taken_is_said(server: Server) -> None:
    with pytest.raises(ClearsetError, match=rf"port {server.server_port}: Address already in use"):
        listening(server.site, server.server_port)


def test_the_address_differs_each_time() -> None:
    site = Site(PurePosixPath("a.html"), (), Path("a.csv"), refused, refused)
    assert len(site.token) >= 32
    assert site.token != replace(site, token=Site(*[*vars(site).values()][:5]).token).token
