"""The token in the page's address: without it nobody on this machine gets at the page, over real HTTP on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.web.access import kept_token

if TYPE_CHECKING:
    from pathlib import Path

    from bot.web.server import LocalChat
    from tests.support.tabs import Tab
    from tests.support.talks import ScriptedConversation

WRONG = [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}, {"Cookie": "keaton-{port}=wrong"}]


def spelled(headers: dict[str, str], chat: LocalChat) -> dict[str, str]:
    port = chat.url.rstrip("/").rpartition(":")[2]
    return {name: value.format(port=port) for name, value in headers.items()}


@pytest.mark.parametrize("headers", WRONG)
async def test_given_no_token_when_anything_is_asked_then_nothing_is_done(
    tab: Tab, chat: LocalChat, session: aiohttp.ClientSession, talk: ScriptedConversation, headers: dict[str, str]
) -> None:
    await tab.say("/find a woman swimming in water")
    answer = await tab.until_text("Moment 1 of 5")
    heard = len(talk.events)
    sent = {"Origin": tab.origin, **spelled(headers, chat)}
    message = {"client": "a", "text": "/forget everything"}
    press = {"client": "a", "message": answer["id"], "id": "3:"}
    for path, body in (("api/messages", message), ("api/actions", press)):
        async with session.post(chat.url + path, json=body, headers=sent) as response:
            assert response.status == 403
    async with session.post(chat.url + "api/files?client=a&name=f.mp4", data=b"video", headers=sent) as response:
        assert response.status == 403
    picture = answer["pictures"][0]["urls"]["light"]
    for path in (picture, picture + f"?token={chat.address.partition('=')[2]}", "/media/1/nothing", "/elsewhere"):
        async with session.get(tab.origin + path, headers=sent) as response:
            assert response.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await session.ws_connect(chat.url + "api/stream?client=a", headers=sent)
    assert caught.value.status == 403
    assert len(talk.events) == heard


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%F0%9F%8E%AC", "?token=%ff"])
async def test_given_no_token_when_the_page_opens_then_it_says_where_to_find_it(
    chat: LocalChat, session: aiohttp.ClientSession, query: str
) -> None:
    async with session.get(chat.url + query, allow_redirects=False) as response:
        assert (response.status, response.content_type) == (403, "text/html")
        text = await response.text()
        assert "keaton page" in text
        assert "<script" not in text
        assert "Set-Cookie" not in response.headers
    for part in ("style.css", "keaton.svg"):
        async with session.get(f"{chat.url}page/{part}") as response:
            assert response.status == 200


async def test_given_an_address_with_its_token_then_the_browser_is_known(chat: LocalChat) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(chat.address, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/")
            cookie = response.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
        async with session.get(chat.url) as response:
            assert response.status == 200
            assert "app.js" in await response.text()
        origin = {"Origin": chat.url.rstrip("/")}
        said = {"client": "a", "text": "/help"}
        async with session.post(chat.url + "api/messages", json=said, headers=origin) as response:
            assert response.status == 202
        async with session.ws_connect(chat.url + "api/stream?client=a", headers=origin) as socket:
            assert "run" in await socket.receive_json()


async def test_given_a_cookie_of_another_port_then_it_is_no_token(
    chat: LocalChat, session: aiohttp.ClientSession
) -> None:
    headers = {"Cookie": f"keaton-1={chat.address.partition('=')[2]}"}
    async with session.get(chat.url, headers=headers) as response:
        assert response.status == 403


def test_given_a_token_when_restarted_then_it_is_the_same_and_private(tmp_path: Path) -> None:
    token = kept_token(tmp_path)
    (file,) = tmp_path.iterdir()
    assert len(token) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    assert kept_token(tmp_path) == token
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damaged", ["", "short", "with spaces and more than thirty-two letters"])
def test_given_a_token_file_without_a_token_when_starting_then_replaced(tmp_path: Path, damaged: str) -> None:
    kept_token(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(damaged)
    token = kept_token(tmp_path)
    assert token != damaged
    assert kept_token(tmp_path) == token
