"""Manners: once and not twice, who sees what, and what happens when Slack refuses, delays or falls silent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.slack.config import POSTS
from core.errors import BadSetting
from core.model.requests import MessageKey
from core.wording.errors import sentence
from storage.messages import SqliteLedger
from tests.bot.slack.conftest import READY
from tests.fakes.slack_socket import event_body

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_given_a_failure_when_told_then_privately_and_no_status_is_left(scene: Scene) -> None:
    message = await scene.post("https://films.example/nowhere.mp4")
    (said,) = await scene.fake.until(lambda: scene.general.whispers, "a private word")
    assert "leads nowhere" in said.words
    assert (said.only_for, said.thread_ts) == (scene.ada.id, ""), "no thread without a reply shows it"
    assert list(said.links) == ["Your message"]
    await scene.fake.until(lambda: not message.reactions, "the reaction gone")
    assert not scene.general.by_keaton


async def test_given_help_and_status_then_the_asker_alone_sees_them(scene: Scene) -> None:
    told = await scene.asked("/keaton")
    assert all(f"/keaton {name}" in told for name in ("videos", "index LINK", "forget TITLE", "help", "off"))
    assert " /videos" not in told
    assert "0 videos" in await scene.asked("/keaton", "status")
    assert not scene.general.by_keaton


async def test_given_it_is_not_invited_when_asked_then_it_asks_for_that(scene: Scene) -> None:
    scene.general.keaton_inside = False
    assert "Please /invite @keaton" in await scene.asked("/find", "green")
    assert "Please /invite @keaton" in await scene.asked("/keaton", f"index {scene.link()}")
    assert not scene.house.fetcher.fetched


async def test_given_it_was_removed_when_asked_then_it_asks_to_be_invited_again(scene: Scene) -> None:
    await scene.posted()
    scene.general.keaton_inside = False
    assert "Please /invite @keaton" in await scene.asked("/find", "green")


async def test_given_a_switched_off_channel_when_a_link_comes_then_no_answer(scene: Scene) -> None:
    for word in ("off", "on"):
        before = set(scene.general.messages)
        await scene.fake.slash(scene.team, scene.general, scene.ada, "/keaton", word)
        await scene.answer(scene.general, before, f"{word.title()}: ")
        ignored = await scene.post(scene.link())
        if word == "off":
            asked = await scene.post(f"<@{scene.team.keaton.id}> {scene.link()}")
            await scene.below(asked)
            assert not scene.general.below(ignored)
        else:
            await scene.below(ignored)


async def test_given_an_event_when_it_comes_twice_then_it_is_answered_once(scene: Scene) -> None:
    message = await scene.post(f"<@{scene.team.keaton.id}> {scene.link()}")
    for event_id in ("EvSame", "EvSame", "EvOther"):
        await scene.fake.event(scene.team, scene.fake.said(message), event_id)
    await scene.below(message)
    await scene.stop()
    await scene.start()
    await scene.fake.event(scene.team, scene.fake.said(message), "EvSame")
    other = await scene.posted()
    assert [len(scene.general.below(one)) for one in (message, other)] == [1, 1]
    assert not scene.general.whispers


async def test_given_an_envelope_sent_again_then_acknowledged_and_answered_once(scene: Scene) -> None:
    await scene.posted()
    before = set(scene.general.messages)
    await scene.found()
    sockets = scene.fake.sockets
    (command,) = [one for one in sockets.envelopes.values() if one.kind == "slash_commands"]
    again = await sockets.deliver(scene.team, command.kind, command.payload)
    await scene.fake.until(lambda: again.ack_s is not None, "the acknowledgement")
    await scene.posted()
    answers = [one for ts, one in scene.general.messages.items() if ts not in before and "Moment" in one.words]
    assert len(answers) == 1


async def test_given_posts_while_it_was_away_when_back_then_one_answer_each(scene: Scene) -> None:
    known = await scene.posted()
    await scene.stop()
    missed = await scene.post(scene.link())
    await scene.start()
    await scene.below(missed)
    last = await scene.posted()
    assert [len(scene.general.below(one)) for one in (known, missed, last)] == [1, 1, 1]


@pytest.mark.parametrize("noted", [True, False])
async def test_given_a_run_that_died_when_restarted_then_its_message_goes_on(quiet_scene: Scene, noted: bool) -> None:
    scene, ledger = quiet_scene, quiet_scene.house.ledger
    link = scene.link()
    message = await scene.post(link)
    status = await scene.post("Fetching the video…")
    status.bot, status.thread_ts = True, message.ts
    status.metadata = {"event_type": "keaton_answer", "event_payload": {"about": f"{message.ts}:{link}"}}
    if noted:
        await ledger.remember(f"slack:shown:{scene.team.id}:{scene.general.id}:{message.ts}:{link}", status.ts)
        status.metadata = {}
    await SqliteLedger(scene.house.library.connections).begin(MessageKey(scene.scope(), message.ts, link))
    await scene.start()
    assert await scene.below(message) is status
    assert scene.general.below(message) == [status]
    assert message.ts in scene.fake.reread


async def test_given_pictures_slack_does_not_show_then_they_go_into_the_thread(scene: Scene) -> None:
    await scene.posted()
    scene.fake.shows_pictures = False
    card = await scene.found()
    await scene.fake.until(lambda: any(one.shared_in for one in scene.team.files.values()), "the pictures below")
    assert not card.images
    assert "in the thread" in card.words
    below = [
        (one.name, one.shared_in) for one in scene.team.files.values() if (scene.general.id, card.ts) in one.shared_in
    ]
    assert below == [(name, [(scene.general.id, card.ts)]) for name in ("frame.jpg", "plot.png")]


async def test_given_pictures_never_processed_then_they_go_into_the_thread(scene: Scene) -> None:
    scene.fake.polls = 10**6
    message = await scene.posted()
    (card,) = scene.general.below(message)
    assert "in the thread" in card.words
    await scene.fake.until(lambda: [one for one in scene.team.files.values() if one.shared_in], "the sheet below")


async def test_given_a_rate_limit_when_posting_then_it_is_waited_out(scene: Scene) -> None:
    scene.fake.rate_limits.append(("chat.postMessage", 1))
    message = await scene.posted()
    assert not scene.fake.rate_limits
    assert len(scene.general.below(message)) == 1


async def test_given_markup_from_strangers_when_shown_then_plain_and_no_ping(scene: Scene) -> None:
    await scene.posted()
    words = "<!channel> & <@u1> *green* <http://x|y> `z`"
    card = await scene.found(words)
    assert f"“{words}”" in card.words
    assert "&lt;!channel&gt; &amp; &lt;@u1&gt;" in card.text


async def test_given_a_request_to_reconnect_when_it_comes_then_it_does(scene: Scene) -> None:
    before = scene.fake.sockets.connections
    await scene.fake.sockets.hang_up(scene.team)
    await scene.fake.until(lambda: scene.fake.sockets.connections > before, "a new connection")
    await scene.posted()


async def test_given_a_cut_connection_then_a_new_one_is_made(scene: Scene) -> None:
    before = scene.fake.sockets.connections
    await scene.fake.sockets.drop(scene.team)
    await scene.fake.until(lambda: scene.fake.sockets.connections > before, "a new connection")
    await scene.posted()


async def test_given_a_silent_connection_then_a_new_one_is_made(quiet_scene: Scene) -> None:
    scene = quiet_scene
    await scene.start(silence_s=0.4)
    before = scene.fake.sockets.connections
    scene.fake.sockets.mute = True
    lost = await scene.post(scene.link())
    await scene.fake.until(lambda: scene.fake.sockets.connections > before, "a new connection")
    await scene.fake.event(scene.team, scene.fake.said(lost))
    await scene.below(lost)


@pytest.mark.parametrize("setting", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_given_an_unknown_token_when_starting_then_its_setting_is_named(quiet_scene: Scene, setting: str) -> None:
    field = setting.removeprefix("SLACK_").lower()
    with pytest.raises(BadSetting) as caught:
        await quiet_scene.door(None, **{field: "xoxb-wrong"}).run()
    assert setting in sentence(caught.value)
    assert "wrong" not in str(caught.value.reason)


async def test_given_missing_scopes_when_starting_then_named_and_the_rest_works(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.team.scopes = scene.team.scopes.replace("users:read", "").replace("reactions:write", "")
    await scene.start()
    message = await scene.posted()
    assert "Posted by somebody" in scene.general.below(message)[0].words
    assert "reactions:write, users:read" in await scene.asked("/keaton", "status")


async def test_given_two_workspaces_in_one_library_then_they_never_meet(scene: Scene) -> None:
    link, theirs = scene.link(), scene.fake.workspace("Biograph")
    theirs.channels[scene.general.id] = scene.general
    theirs.users = scene.team.users
    await scene.start(theirs)
    await scene.posted(link)
    answer = await scene.fake.slash(theirs, scene.general, scene.bob, "/find", "green")
    assert "nothing to search" in await scene.whispered(answer)


async def test_given_an_event_of_an_unknown_workspace_then_it_is_left_alone(scene: Scene) -> None:
    message = await scene.post("soon a link")
    event = {**scene.fake.said(message), "text": f"<{scene.link()}>"}
    body = event_body(scene.team, event, "EvOther", authorizations=[{"team_id": "T0OTHER"}])
    await scene.fake.sockets.deliver(scene.team, "events_api", body)
    own = scene.link()
    await scene.posted(own)
    assert scene.house.fetcher.fetched == [own]


async def test_given_two_quick_presses_then_the_later_one_stands(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found()
    last = [label for label in card.buttons if " · " in label][-1]
    number = last.split(" ")[0]
    await asyncio.gather(
        scene.fake.press(scene.team, card, "Next", scene.ada), scene.fake.press(scene.team, card, last, scene.bob)
    )
    await scene.fake.until(lambda: f"Moment {number} of" in card.words, "the later press")
    await scene.posted()
    assert f"Moment {number} of" in card.words


async def test_given_keatons_own_messages_then_they_are_not_indexed(scene: Scene) -> None:
    message = await scene.posted()
    await scene.posted()
    assert READY in scene.general.below(message)[0].words
    assert len(scene.general.by_keaton) == 2


async def test_given_a_guest_and_a_member_when_switching_then_the_latter_may(scene: Scene) -> None:
    scene.bob.is_guest = True
    assert "Only full members" in await scene.asked("/keaton", "off", scene.bob)
    await scene.posted()  # so it is still on
    before = set(scene.general.messages)
    await scene.fake.slash(scene.team, scene.general, scene.ada, "/keaton", "off")
    await scene.answer(scene.general, before, "Off: ")


async def test_given_a_command_without_real_words_then_help_comes_and_no_search(scene: Scene) -> None:
    await scene.posted()
    before = set(scene.general.messages)
    assert "/keaton help shows everything" in await scene.asked("/keaton", "wat is this")
    assert "Did you mean /keaton videos?" in await scene.asked("/keaton", "vidoes")
    assert set(scene.general.messages) == before


async def test_given_too_many_links_in_a_message_then_those_left_out_are_named(scene: Scene) -> None:
    links = [f"https://films.example/none{number}.mp4" for number in range(7)]
    message = await scene.post(" ".join(links))
    told = await scene.fake.until(
        lambda: next((one for one in scene.general.whispers if "Left alone" in one.words), None), "what is left alone"
    )
    assert [link for link in links if link in told.words] == links[5:]
    assert message.ts in scene.general.messages


async def test_given_one_message_a_second_when_eight_ask_then_none_is_too_many(
    scene: Scene,
) -> None:
    await scene.stop()
    await scene.start(posts=POSTS)
    await scene.posted()
    await asyncio.sleep(POSTS.burst * POSTS.every_s)
    scene.fake.posts_at_once = POSTS.burst + 1  # requests do not take equally long
    before = set(scene.general.messages)
    for _ in range(8):
        await scene.post(f"<@{scene.team.keaton.id}> green")

    def answered() -> bool:
        new = [one for one in scene.general.by_keaton if one.ts not in before and not one.thread_ts]
        return sum("Moment" in one.words for one in new) == 8

    await scene.fake.until(answered, "eight answers")
    assert not [one for one in scene.fake.refused if "ratelimited" in one]
