"""The local chat against other sites and malformed requests, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from tests.support.tabs import Tab
    from tests.support.talks import ScriptedConversation


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "localhost.evil.example:{port}"]
)
async def test_given_a_foreign_host_name_that_points_here_then_it_gets_nothing(tab: Tab, host: str) -> None:
    port = tab.origin.rsplit(":", 1)[1]
    for path in ("/", "/page/app.js", "/api/stream?client=a", "/media/1/x"):
        assert (await tab.get(path, Host=host.format(port=port)))[0] == 403


async def test_given_localhost_when_used_for_the_address_then_it_works(tab: Tab) -> None:
    port = tab.origin.rsplit(":", 1)[1]
    assert (await tab.get("/", Host=f"localhost:{port}"))[0] == 200
    origin = f"http://localhost:{port}"
    assert await tab.post("api/messages", {"text": "hi"}, Host=f"localhost:{port}", Origin=origin) == 202


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://{host}", ""])
async def test_given_a_page_of_another_site_when_posting_then_nothing_changes(
    tab: Tab, talk: ScriptedConversation, origin: str
) -> None:
    sent = origin.format(host=tab.origin.removeprefix("http://"))
    assert await tab.post("api/messages", {"text": "/help"}, Origin=sent) == 403
    assert await tab.post("api/actions", {"message": 1, "id": "1:"}, Origin=sent) == 403
    headers = {"Origin": sent, **tab.key}
    async with tab.session.post(tab.chat.url + "api/files?client=a", data=b"x", headers=headers) as response:
        assert response.status == 403
    assert talk.events == []


async def test_given_a_request_without_an_origin_then_nothing_changes(tab: Tab, talk: ScriptedConversation) -> None:
    body = {"client": "a", "text": "/help"}
    async with tab.session.post(tab.chat.url + "api/messages", json=body, headers=tab.key) as response:
        assert response.status == 403
    assert talk.events == []


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {}])
async def test_given_a_page_of_another_site_when_listening_then_refused(tab: Tab, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await tab.session.ws_connect(tab.chat.url + "api/stream?client=a", headers={**tab.key, **headers})
    assert caught.value.status == 403


async def test_given_a_plain_text_form_when_posted_then_it_is_no_message(tab: Tab, talk: ScriptedConversation) -> None:
    body = '{"client": "a", "text": "/help"}'
    headers = {"Origin": tab.origin, **tab.key, "Content-Type": "text/plain"}
    async with tab.session.post(tab.chat.url + "api/messages", data=body, headers=headers) as response:
        assert response.status == 415
    assert talk.events == []


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "  "}, {"text": "x" * 4001}, {"text": "x", "client": "<"}])
async def test_given_a_malformed_message_when_posted_then_it_is_refused(tab: Tab, body: dict[str, object]) -> None:
    assert await tab.post("api/messages", body) == 400


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/page/nothing.js", "/media/1/nothing"])
async def test_given_any_response_then_it_forbids_scripts_frames_and_sniffing(tab: Tab, path: str) -> None:
    _, _, headers = await tab.get(path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/page/../config.py", "/page/%2e%2e%2fconfig.py", "/page/..%2ffront.py"])
async def test_given_any_path_when_asked_then_only_the_pages_own_files_are_sent(tab: Tab, path: str) -> None:
    port = int(tab.origin.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    assert status == b"404"
