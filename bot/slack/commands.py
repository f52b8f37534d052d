"""Commands, shortcuts and presses, as Slack sends them. Owns their names; must not know how they are answered."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.doors import is_picture
from bot.lastword import Unnumbered
from bot.slack import posts
from bot.slack.alone import Alone
from bot.slack.asking import commanded, is_public
from bot.slack.config import DOOR
from bot.slack.places import Place
from bot.slack.refusals import FAILURES, reason_of
from bot.slack.render import card
from bot.slack.resuming import Standing, keeper, mark
from bot.slack.words import INVITE, NO_FORM, plain
from core import replies
from core.actions import refines
from core.commands import find
from core.errors.links import VideoUnavailable
from core.errors.turns import NotHere
from core.ledger import Errand
from core.model import View
from core.shown import Reply
from core.talk import Action, ListVideos, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.requests import Taken
    from bot.slack.desk import Desk
    from bot.slack.whispers import ToOne, Whisper
    from core.errors import AppError
    from core.talk import Incoming

Json: TypeAlias = dict[str, Any]

FIND, KEATON = "/find", "/keaton"
INDEX_MESSAGE, FIND_FROM_MESSAGE = "index_message", "find_from_message"
_WORDS = "words"
_WITHOUT = "What do you want to see?"
_WITH_PICTURE = "What do you want to see, beside this picture?"

logger = logging.getLogger(__name__)


class Commands:
    """Answers what people do other than writing messages."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self._desk = desk
        self._client = client

    async def note_find(self, body: Json) -> Taken | None:
        """Write /find down, before it is acknowledged; None when Slack sends it once more."""
        words = self._desk.people.quoted(plain(body.get("text") or ""))
        return await self._note(body, lambda turn: find(turn, words))

    async def note_keaton(self, body: Json) -> Taken | None:
        """Write /keaton down, before it is acknowledged; None when Slack sends it once more."""
        words = plain(body.get("text") or "")
        return await self._note(body, lambda turn: commanded(turn, words, self._desk.workspace))

    async def _note(self, body: Json, event_of: Callable[[Turn], Incoming]) -> Taken | None:
        turn = self._turn(body["channel_id"], {"id": body["user_id"], "name": body.get("user_name")})
        return await self._take(body, event_of(turn), _standing(body))

    async def _take(self, body: Json, event: Incoming, standing: Standing, item: str = "") -> Taken | None:
        errand = Errand(event.turn.scope, "", f"trigger:{body['trigger_id']}{item}")
        return await self._desk.requests.take(errand, event, standing.text())

    async def command(self, body: Json, taken: Taken) -> None:
        """Answer /find or /keaton."""
        channel = body["channel_id"]
        whisper = self._desk.answers.whisper(channel, body["user_id"], url=body["response_url"])
        if channel.startswith("D"):
            await whisper(card(replies.problem(NotHere())))
        else:
            event = replace(taken.event, turn=await self._desk.turn(channel, body["user_id"]))
            if isinstance(event, ListVideos):
                await self._desk.answers.answer_taken(replace(taken, event=event), Alone(self._desk.slack, whisper))
                return
            place = self._place(channel, "", whisper, is_private=not is_public(event))
            await self._answer(taken, event, self._kept(place, taken, _standing(body)))
        await self._desk.requests.end(taken)

    def _kept(self, place: Place, taken: Taken, standing: Standing) -> Place:
        """Let a later run find the answer again."""
        say, keep = self._desk.answers.word.of(taken), keeper(self._desk.requests, taken, standing)
        return replace(place, on_posted=keep, say=say, about=mark(taken))

    async def _answer(self, taken: Taken, event: Incoming, place: Place) -> None:
        if place.is_private or place.outside is None or await self._desk.membership.is_inside(place.channel):
            await self._desk.answers.answer(event, place, taken)
        else:
            await place.outside()

    def _place(self, channel: str, thread_ts: str, whisper: Whisper, *, is_private: bool = False) -> Place:
        async def outside() -> None:
            self._desk.membership.left(channel)
            text = INVITE.format(name=self._desk.workspace.name)
            await whisper(card(Reply(text, tone="error", private=True)))

        where = self._desk.slack, channel, thread_ts, whisper, _ignore, Unnumbered()
        return Place(*where, is_private=is_private, outside=outside)

    async def note_press(self, body: Json) -> Taken | None:
        """Write the press of a button down, before it is acknowledged; None when Slack sends it once more."""
        pressed = body["actions"][0]
        turn = self._turn(body["container"]["channel_id"], body["user"])
        box = body["container"]
        # What refines an answer is written in the thread that it stands in.
        where = (refines(pressed["action_id"]) and box.get("thread_ts")) or box["message_ts"]
        event = Action(turn, pressed["action_id"], under=str(where))
        return await self._take(body, event, _pressed(body), f":{pressed.get('action_ts', '')}")

    def _turn(self, channel: str, user: Json) -> Turn:
        """Give the turn of somebody whom Slack names by the way: who it is exactly takes it too long to say."""
        scope = self._desk.workspace.scope(channel)
        name = str(user.get("username") or user.get("name") or "")
        return Turn(DOOR, scope, View.of(scope), user["id"], name, "")

    async def press(self, body: Json, taken: Taken) -> None:
        """Answer the press of a button."""
        say = self._desk.answers.word.of(taken)
        turn = await self._desk.turn(body["container"]["channel_id"], body["user"]["id"])
        pressed = taken.event
        if isinstance(pressed, Action):
            taken = replace(taken, event=await self._desk.answers.vouched(replace(pressed, turn=turn), taken.job))
        standing, box = _pressed(body), body["container"]
        whisper = self._desk.answers.whisper(
            box["channel_id"], body["user"]["id"], standing.thread_ts, body["response_url"]
        )
        await self._desk.answers.press(taken, say, standing, whisper, whisper.redraw)

    async def note_index(self, body: Json) -> list[Taken] | None:
        """Write the films of a message whose menu was used down, before that is acknowledged; None for a repetition.

        Slack is asked for nothing before: names, and what files are that it has not described, are asked for later.
        """
        message = posts.read_any(body["message"], body["channel"]["id"], body["user"]["id"])
        items = self._desk.films_unasked(message)
        standing = Standing(message.root_ts)
        found = [await self._take(body, item.event, standing, f":{item.name}") for item in items]
        taken = [one for one in found if one is not None]
        is_new = bool(taken) or (not items and await self._desk.is_new(body["channel"]["id"], body["trigger_id"]))
        return taken if is_new else None

    async def index_message(self, body: Json, taken: list[Taken]) -> None:
        """Look at the films of a message whose menu was used, whether the channel is on or not."""
        channel, whisper = body["channel"]["id"], self._menu_whisper(body)
        if not taken:
            await whisper(card(replies.problem(VideoUnavailable("", "no_video"))))
        thread_ts = body["message"].get("thread_ts") or body["message"]["ts"]
        for one in taken:
            place = self._kept(self._place(channel, thread_ts, whisper), one, Standing(thread_ts))
            self._desk.chores.start(self._index(one, place))

    async def refuse(self, body: Json, error: AppError) -> None:
        """Say to whoever asked for something, and nobody else, why it could not even be written down."""
        await self._whisper_to(body)(card(replies.problem(error)))

    def _whisper_to(self, body: Json) -> ToOne:
        """Return a way to whoever used a command, a button, a menu or a form."""
        if "view" in body:
            about = json.loads(body["view"]["private_metadata"])
            where = about["channel"], body["user"]["id"], about.get("in_thread", ""), about["response_url"]
            return self._desk.answers.whisper(*where)
        if "container" in body:
            where = body["container"]["channel_id"], body["user"]["id"], _pressed(body).thread_ts, body["response_url"]
            return self._desk.answers.whisper(*where)
        if "channel_id" in body:
            return self._desk.answers.whisper(body["channel_id"], body["user_id"], url=body["response_url"])
        return self._menu_whisper(body)

    def _menu_whisper(self, body: Json) -> ToOne:
        thread_ts = body["message"].get("thread_ts") or ""
        return self._desk.answers.whisper(body["channel"]["id"], body["user"]["id"], thread_ts, body["response_url"])

    async def _index(self, taken: Taken, place: Place) -> None:
        event = await self._desk.asked_about(taken.event)
        if event is None:
            await place.whisper(card(replies.problem(VideoUnavailable("", "no_video"))))
            await self._desk.requests.drop(taken.job)
            return
        await self._answer(taken, event, place)
        await self._desk.requests.end(taken)

    async def ask_for_words(self, body: Json) -> None:
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
        await self._open(body, about, self._menu_whisper(body))

    async def _open(self, body: Json, about: Json, whisper: Whisper) -> None:
        """Open the form; where Slack does not let, say how else one searches there."""
        try:
            await self._client.views_open(trigger_id=body["trigger_id"], view=form(about))
        except FAILURES as error:
            logger.info("Slack does not open a form: %s", reason_of(error))
            text = NO_FORM.format(name=self._desk.workspace.name)
            await whisper(card(Reply(text, tone="error", private=True)))

    async def note_words(self, body: Json) -> Taken | None:
        """Write the search that such a form asks for down, before it is acknowledged."""
        about = json.loads(body["view"]["private_metadata"])
        standing = _asked(body["view"], about)
        picture = self._desk.picture_later(standing.picture) if standing.picture else None
        turn = self._turn(about["channel"], body["user"])
        event = replace(find(turn, standing.words), picture=picture)
        errand = Errand(turn.scope, "", f"view:{body['view']['id']}")
        return await self._desk.requests.take(errand, event, standing.text())

    async def find_words(self, body: Json, taken: Taken) -> None:
        """Search for the words of that form, and answer in the thread."""
        about = json.loads(body["view"]["private_metadata"])
        event = replace(taken.event, turn=await self._desk.turn(about["channel"], body["user"]["id"]))
        whisper = self._desk.answers.whisper(
            about["channel"], body["user"]["id"], about.get("in_thread", ""), about["response_url"]
        )
        place = self._place(about["channel"], about["thread_ts"], whisper)
        await self._answer(taken, event, self._kept(place, taken, _asked(body["view"], about)))
        await self._desk.requests.end(taken)


def _standing(body: Json) -> Standing:
    """Keep the words of a search, which may be written as "/keaton find ..." too."""
    words = plain(body.get("text") or "").strip()
    name, _, rest = words.partition(" ")
    is_named = body.get("command") == KEATON and name.lower().removeprefix("/") == "find"
    return Standing(words=rest if is_named else words)


def _asked(view: Json, about: Json) -> Standing:
    words = plain(view["state"]["values"][_WORDS][_WORDS]["value"] or "")
    return Standing(about["thread_ts"], words=words, picture=about.get("picture", ""))


def _pressed(body: Json) -> Standing:
    box = body["container"]
    return Standing(str(box.get("thread_ts") or ""), str(box["message_ts"]), alone=bool(box.get("is_ephemeral")))


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


async def _ignore(_ts: str) -> None:
    return
