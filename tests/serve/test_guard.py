"""The door: hosts, origins, tokens, headers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from aurist.errors import ConfigError
from aurist.serve.options import Limits, ServeOptions

TOKEN = "a-secret-of-some-length"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[", "10.0.0.7"]
)
def test_other_names_of_the_server_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 421


def test_a_name_can_be_allowed(start: Callable[..., TestClient]) -> None:
    client = start(hosts=("birds.example",))
    assert client.get("/health", headers={"host": "birds.example"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://localhost:8765"]
)
def test_pages_of_other_sites_are_refused(client: TestClient, origin: str) -> None:
    assert client.delete("/v1/detect/0", headers={"origin": origin}).status_code == 403


def test_the_own_page_is_served(client: TestClient) -> None:
    assert client.get("/health", headers={"origin": "http://127.0.0.1:8765"}).status_code == 200


def test_a_token_is_needed(start: Callable[..., TestClient]) -> None:
    client = start(token=TOKEN, host="0.0.0.0")
    for headers in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": TOKEN},
        {"cookie": "aurist_session=x"},
    ):
        answer = client.get("/v1/model", headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/v1/model", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/health").status_code == 200
    assert client.get("/metrics").status_code == 401
    assert client.get("/openapi.json").status_code == 401


def test_a_browser_gets_in_by_a_form(start: Callable[..., TestClient]) -> None:
    client = start(token=TOKEN)
    first = client.get("/", follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/login")
    assert client.get("/login").status_code == 200
    assert "set-cookie" not in client.post("/login", data={"token": "wrong"}, follow_redirects=False).headers
    answer = client.post("/login", data={"token": TOKEN}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    assert client.get("/v1/model").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "birds.example"])
def test_other_machines_need_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="AURIST_TOKEN"):
        ServeOptions(host=host)
    assert ServeOptions(host=host, token=TOKEN).token == TOKEN


def test_senseless_options() -> None:
    with pytest.raises(ConfigError, match="16 or more"):
        ServeOptions(token="short")
    with pytest.raises(ConfigError, match="megabytes is 0"):
        Limits(megabytes=0)


@pytest.mark.parametrize("path", ["/", "/health", "/nothing", "/page/page.css", "/v1/detect/0"])
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/page/../app.py", "/page/%2e%2e%2fapp.py", "/page/..%5Capp.py", "/page/none.js"]
)
def test_only_files_of_the_page_are_given(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
