"""Modal forms, shortcuts and the App Home: what is asked for beside commands and messages."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.doors.messages import is_picture
from bot.slack import home
from bot.slack.refusals import FAILURES, reason_of
from bot.slack.render import NO_FORM, UNTOLD, card, plain
from bot.slack.targets import SavedSlackTarget
from core.conversation.commands import find
from core.model.events import Switch
from core.model.reply import Reply
from core.model.requests import MessageKey

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.requests import AcceptedRequest
    from bot.slack.commands import SlackCommands
    from bot.slack.desk import SlackDesk
    from bot.slack.home import Home
    from bot.slack.whispers import Whisper
    from core.model.events import Find

Json: TypeAlias = dict[str, Any]

FIND_ANYWHERE, FIND_FROM_MESSAGE = "find_anywhere", "find_from_message"
_WORDS = "words"
_WITHOUT = "What do you want to see?"
_WITH_PICTURE = "What do you want to see, beside this picture?"

logger = logging.getLogger(__name__)


class Forms:
    """Opens them, and takes what people write there."""

    def __init__(self, desk: SlackDesk, client: AsyncWebClient, commands: SlackCommands, page: Home) -> None:
        self._desk = desk
        self._client = client
        self._commands = commands
        self._page = page

    async def ask_about_message(self, body: Json) -> None:
        """Ask what to look for: the way to search from within a thread, where Slack refuses commands."""
        about = {
            "channel": body["channel"]["id"],
            "thread_ts": body["message"].get("thread_ts") or body["message"]["ts"],
            "in_thread": body["message"].get("thread_ts") or "",
            "response_url": body["response_url"],
        }
        files = body["message"].get("files") or ()
        pictures = [one for one in files if is_picture(str(one.get("name") or ""), str(one.get("mimetype") or ""))]
        if pictures:
            about["picture"] = str(pictures[0]["id"])
        whisper = self._desk.answers.whisper(
            about["channel"], body["user"]["id"], about["in_thread"], about["response_url"]
        )
        await self._open(body["trigger_id"], about, whisper)

    async def ask_after_command(self, body: Json) -> None:
        """Ask what to look for where /find came without words."""
        about = {"channel": body["channel_id"], "thread_ts": "", "response_url": body["response_url"]}
        whisper = self._desk.answers.whisper(about["channel"], body["user_id"], url=about["response_url"])
        await self._open(body["trigger_id"], about, whisper)

    async def ask_anywhere(self, body: Json) -> None:
        """Ask what to look for in all channels that somebody shares with Keaton; they are answered directly."""
        user_id = body["user"]["id"]
        talk = await self._talk(user_id)
        about = {"channel": talk, "thread_ts": "", "response_url": ""}
        await self._open(body["trigger_id"], about, self._desk.answers.whisper(talk, user_id))

    async def _talk(self, user_id: str) -> str:
        """Return the direct messages with somebody; where Slack does not open them now, the id that posting opens."""
        try:
            return await self._desk.talk(user_id)
        except FAILURES as error:
            logger.info("Slack does not open direct messages: %s", reason_of(error))
            return user_id

    async def _open(self, trigger_id: str, about: Json, whisper: Whisper) -> None:
        """Open the form; where Slack does not let, say how else one searches there."""
        try:
            await self._client.views_open(trigger_id=trigger_id, view=form(about))
        except FAILURES as error:
            logger.info("Slack does not open a form: %s", reason_of(error))
            text = NO_FORM.format(name=self._desk.workspace.name)
            await whisper(card(Reply(text, tone="error", private=True)))

    async def note_words(self, body: Json) -> AcceptedRequest | None:
        """Write the search that such a form asks for down, before it is acknowledged."""
        about = json.loads(body["view"]["private_metadata"])
        standing = _asked(body["view"], about)
        picture = self._desk.picture_later(standing.picture) if standing.picture else None
        turn = self._commands.turn(about["channel"], body["user"])
        event = replace(find(turn, standing.words), picture=picture)
        errand = MessageKey(turn.scope, "", f"view:{body['view']['id']}")
        return await self._desk.requests.take(errand, event, standing.text())

    async def find_words(self, body: Json, taken: AcceptedRequest) -> None:
        """Search for the words of that form, and answer where it was opened."""
        about, user_id = json.loads(body["view"]["private_metadata"]), body["user"]["id"]
        channel = about["channel"]
        if channel == user_id:  # it was opened while Slack opened no direct messages
            channel = await self._talk(user_id)
            taken = replace(taken, event=replace(taken.event, turn=self._commands.turn(channel, body["user"])))
        whisper = self._desk.answers.whisper(channel, user_id, about.get("in_thread", ""), about["response_url"])
        await self._commands.answer_at(taken, body["user"]["id"], _asked(body["view"], about), whisper)

    async def note_home(self, body: Json) -> AcceptedRequest | None:
        """Write what somebody wants on their page down: a search, or a channel to be switched."""
        pressed, talk = body["actions"][0], json.loads(body["view"]["private_metadata"])["channel"]
        item = f"trigger:{body['trigger_id']}:{pressed.get('action_ts', '')}"
        words, standing = plain(str(pressed.get("value") or "")), SavedSlackTarget()
        if pressed["action_id"] == home.FIND:
            turn, standing = self._commands.turn(talk, body["user"]), SavedSlackTarget(words=words)
            event: Find | Switch = find(turn, words)
        else:
            turn = self._commands.turn(pressed["action_id"].partition(":")[2], body["user"])
            event = Switch(turn, words == "on")
        return await self._desk.requests.take(MessageKey(turn.scope, "", item), event, standing.text())

    async def home(self, body: Json, taken: AcceptedRequest) -> None:
        """Answer that: a search directly, a switch for all to see in its channel; then the page is drawn anew."""
        user_id, talk = body["user"]["id"], json.loads(body["view"]["private_metadata"])["channel"]
        channel = taken.event.turn.scope.channel
        if channel != talk and not await self._may_switch(user_id, channel, talk):
            await self._desk.requests.drop(taken.job)
            return
        standing = (
            SavedSlackTarget(words=plain(str(body["actions"][0].get("value") or "")))
            if channel == talk
            else SavedSlackTarget()
        )
        whisper = self._desk.answers.whisper(channel, user_id)
        await self._commands.answer_at(taken, user_id, standing, whisper)
        await self.show_home(user_id, talk)

    async def _may_switch(self, user_id: str, channel: str, talk: str) -> bool:
        """Tell whether somebody is in a channel; where Slack does not tell, say so to them."""
        try:
            return await self._desk.shares(user_id, channel)
        except FAILURES as error:
            logger.info("Slack does not tell who is in a channel: %s", reason_of(error))
            await self._desk.answers.whisper(talk, user_id)(card(Reply(UNTOLD, tone="error", private=True)))
            return False

    async def turn_page(self, body: Json) -> None:
        """Show another page of the list of videos."""
        talk = json.loads(body["view"]["private_metadata"])["channel"]
        number = int(body["actions"][0]["action_id"].partition(":")[2])
        await self._page.publish(await self._desk.turn(talk, body["user"]["id"]), number)

    async def show_home(self, user_id: str, talk: str) -> None:
        """Draw somebody's page."""
        await self._page.publish(await self._desk.turn(talk, user_id))


def _asked(view: Json, about: Json) -> SavedSlackTarget:
    words = plain(view["state"]["values"][_WORDS][_WORDS]["value"] or "")
    return SavedSlackTarget(about["thread_ts"], words=words, picture=about.get("picture", ""))


def form(about: Json) -> Json:
    """Give the form that asks for words."""
    box = {"type": "plain_text_input", "action_id": _WORDS, "max_length": 300, "focus_on_load": True}
    return {
        "type": "modal",
        "callback_id": FIND_FROM_MESSAGE,
        "private_metadata": json.dumps(about),
        "title": {"type": "plain_text", "text": "Find a moment"},
        "submit": {"type": "plain_text", "text": "Find"},
        "blocks": [
            {
                "type": "input",
                "block_id": _WORDS,
                "optional": "picture" in about,
                "label": {"type": "plain_text", "text": _WITH_PICTURE if "picture" in about else _WITHOUT},
                "element": box,
            }
        ],
    }
