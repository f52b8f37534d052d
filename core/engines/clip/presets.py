"""Which open_clip model and weights a setting names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import UnknownModel

DEMO = "demo"
_PRESETS = {
    "base": ("ViT-B-32", "laion2b_s34b_b79k"),
    "openai": ("ViT-B-32-quickgelu", "openai"),
    "accurate": ("ViT-B-32-SigLIP2-256", "webli"),
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
    if text in _PRESETS:
        return ModelChoice(text, *_PRESETS[text])
    if text == DEMO:
        return ModelChoice(text, f"{_LOCAL}{demo_folder}", None)
    if text.startswith(_LOCAL):
        return ModelChoice(text, f"{_LOCAL}{Path(text.removeprefix(_LOCAL)).expanduser()}", None)
    name, slash, tag = text.partition("/")
    if slash and name and tag:
        return ModelChoice(text, name, tag)
    known = ", ".join([*_PRESETS, DEMO])
    raise UnknownModel(text, f"it is none of the presets ({known}), no NAME/TAG and no local-dir:PATH")
