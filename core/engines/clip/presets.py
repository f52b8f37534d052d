"""Which open_clip model and weights a setting names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import UnknownModel

DEMO = "demo"
BASE = "base"


@dataclass(frozen=True, slots=True)
class Preset:
    """A model that goes by a short name."""

    name: str
    """open_clip's model name."""
    tag: str
    """open_clip's pretrained tag."""
    hub: str
    """Where the hub has its weights, as open_clip says; known here since importing open_clip takes seconds."""
    about: str


PRESETS = {
    BASE: Preset(
        "ViT-B-32", "laion2b_s34b_b79k", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K/", "the default (MIT, 605 MB)"
    ),
    "accurate": Preset(
        "ViT-B-32-SigLIP2-256",
        "webli",
        "timm/ViT-B-32-SigLIP2-256/",
        "finds more, in many languages, for 1.3 times the work (Apache-2.0, 1.5 GB)",
    ),
    "openai": Preset(
        "ViT-B-32-quickgelu",
        "openai",
        "timm/vit_base_patch32_clip_224.openai/",
        "OpenAI's, which the published notebook used (MIT, 605 MB)",
    ),
}
_LOCAL = "local-dir:"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and where its weights come from."""

    preset: str
    """As the operator wrote it."""
    name: str
    """open_clip's model name, or "local-dir:" with a path."""
    tag: str | None
    """open_clip's pretrained tag; None for a local folder, which brings its own."""

    @property
    def folder(self) -> Path | None:
        """Give the folder of a local model."""
        return Path(self.name.removeprefix(_LOCAL)) if self.name.startswith(_LOCAL) else None


def choose(setting: str, demo_folder: Path) -> ModelChoice:
    """Give the model that a setting names: a preset, NAME/TAG or local-dir:PATH.

    Raises UnknownModel for anything else.
    """
    text = setting.strip()
    if preset := PRESETS.get(text):
        return ModelChoice(text, preset.name, preset.tag)
    if text == DEMO:
        return ModelChoice(text, f"{_LOCAL}{demo_folder}", None)
    if text.startswith(_LOCAL):
        return ModelChoice(text, f"{_LOCAL}{Path(text.removeprefix(_LOCAL)).expanduser()}", None)
    name, slash, tag = text.partition("/")
    if slash and name and tag:
        return ModelChoice(text, name, tag)
    known = ", ".join([*PRESETS, DEMO])
    raise UnknownModel(text, f"it is none of the presets ({known}), no NAME/TAG and no local-dir:PATH")
