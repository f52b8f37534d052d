"""The page that `keaton prove` writes: one HTML file that holds all its pictures. Its frame is `proof.html`."""

from __future__ import annotations

import statistics
from base64 import b64encode
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from bot.cli.proof import WORSE
from core.formatting import clock, tenths

if TYPE_CHECKING:
    from bot.cli.proof import FoundFrame, PictureProof, Proof, QueryProof, Speed
    from core.model.results import Verdict

_METHOD = (
    "Both used the same model and the same file. The notebook's loop reads the video with OpenCV, prepares {frames} "
    "with Pillow and encodes one at a time in float32; its best frame is the one with the highest cosine similarity. "
    "OpenCV gives blue, green, red, and the published loop hands that over as red, green, blue: here its colours are "
    "put right, so that Keaton is compared with the loop at its best. Keaton decoded, sampled, encoded and saved the "
    "video as it does for a posted one, then searched and refined its best frame. Each shown score is the loop's own "
    "cosine similarity of that frame, the same measure for both. The proof fails where Keaton's frame scores lower by "
    "more than {worse}."
)
_VERDICTS: dict[Verdict | None, str] = {
    "strong": "Keaton says: strong match",
    "weak": "Keaton says: possible match",
    "absent": "Keaton says: probably not in this video",
}
_LEAST = 1e-5
_ALL, _SAMPLE = "every frame", "a sample of its frames"


def page(proof: Proof) -> str:
    """Return the whole page."""
    frame = Template(files("bot.cli").joinpath("proof.html").read_text(encoding="utf-8"))
    title = f"Keaton and the notebook: {proof.title}"
    return frame.substitute(
        title=escape(title),
        heading=escape(proof.title),
        verdict=_verdict(proof),
        figures=_figures(proof),
        queries="\n".join(_query(query) for query in proof.queries),
        picture=_picture(proof.picture) if proof.picture else "",
        turns=_turns(proof.speed),
        timing=escape(_timing(proof.speed)),
        method=escape(_METHOD.format(frames=_ALL if proof.speed.is_full else _SAMPLE, worse=WORSE)),
        machine=_rows({"Video": f"{proof.source}, {clock(proof.duration_s)}", "Model": proof.model, **proof.machine}),
        made_at=escape(proof.made_at),
    )


def _verdict(proof: Proof) -> str:
    count, worse = len(proof.queries), len(proof.worse)
    if worse:
        return f'<strong class="bad">The notebook found a better frame for {worse} of {count} queries.</strong>'
    which = "the query" if count == 1 else f"all {count} queries"
    return f'<strong class="good">Keaton found a frame at least as good for {which}.</strong>'


def _figures(proof: Proof) -> str:
    speed, good = proof.speed, len(proof.queries) - len(proof.worse)
    asked_s = statistics.median(query.answer_s for query in proof.queries)
    told = [
        (f"{_ratio(speed.ratio)} times", "as fast as the notebook"),
        (f"{good} of {len(proof.queries)}", "best frames at least as good"),
        (f"{1000 * asked_s:.0f} ms", "for an answer, once the video is indexed"),
        (_difference(max(proof.differences, default=0.0)), "highest cosine difference of the same frame"),
    ]
    return "".join(f"<li><strong>{escape(figure)}</strong>{escape(what)}</li>" for figure, what in told)


def _difference(difference: float) -> str:
    return f"{difference:.5f}" if difference >= _LEAST else f"< {_LEAST:.5f}"


def _query(query: QueryProof) -> str:
    light, dark = (_data(query.plots[theme], "png") for theme in ("light", "dark"))
    alt = escape(f"Similarity to “{query.text}” over the time of the video")
    gain = f'<span class="{"bad" if query.is_worse else "good"}">{query.gain:+.4f}</span>'
    return f"""<section>
<h2>“{escape(query.text)}”</h2>
<p class="soft">{_VERDICTS.get(query.verdict, "")}</p>
<div class="pair">
{_best("Notebook", query.loop, "")}
{_best("Keaton", query.keaton, f" ({gain})")}
</div>
<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}"><img src="{light}" alt="{alt}"></picture>
</section>"""


def _best(who: str, best: FoundFrame, gain: str) -> str:
    at = tenths(best.time_s)
    return (
        f'<figure><img src="{_data(best.jpeg, "jpeg")}" alt="{escape(f"{who}: the frame at {at}")}">'
        f"<figcaption><strong>{who}</strong> at {at}, score {best.score:.4f}{gain}</figcaption></figure>"
    )


def _picture(picture: PictureProof) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(text)}</th><td class="number">{loop:.4f}</td>'
        f'<td class="number">{keaton:.4f}</td></tr>'
        for text, loop, keaton in zip(picture.texts, picture.loop, picture.keaton, strict=True)
    )
    return f"""<section>
<h2>One picture, several texts</h2>
<div class="pair">
<figure><img src="{_data(picture.jpeg, "jpeg")}" alt="{escape(picture.name)}"></figure>
<div class="wide"><table>
<thead><tr><th scope="col">Text</th>
<th scope="col" class="number">Notebook</th><th scope="col" class="number">Keaton</th></tr></thead>
<tbody>{rows}</tbody></table></div>
</div>
</section>"""


def _turns(speed: Speed) -> str:
    turns = enumerate(zip(speed.loop_s, speed.keaton_s, strict=True), 1)
    return "".join(
        f'<tr><th scope="row">{turn}</th><td class="number">{loop:.1f} s</td><td class="number">{keaton:.1f} s</td>'
        f'<td class="number">{_ratio(loop / keaton)}</td></tr>'
        for turn, (loop, keaton) in turns
    )


def _ratio(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def _timing(speed: Speed) -> str:
    if speed.is_full:
        how = f"The loop encoded all {speed.frames} frames, a part of them in each turn; its time is scaled to all"
    else:
        how = f"The loop encoded {speed.encoded} of {speed.frames} frames; its time is what that comes to for all"
    return f"{how}. Keaton encoded {speed.sampled} frames in each turn, and its time is measured. Loading is left out."


def _rows(facts: dict[str, str]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(fact)}</td></tr>' for name, fact in facts.items()
    )


def _data(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
