"""What keeps Keaton from running, but for the disk. Owns data; sentences stand in core.sentences."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import OperatorError


@dataclass(eq=False)
class BadSetting(OperatorError):
    """A setting has a value that makes no sense."""

    name: str
    reason: str


@dataclass(eq=False)
class UnknownModel(OperatorError):
    """The setting names no model that open_clip knows."""

    model: str
    reason: str


@dataclass(eq=False)
class WeightsUnavailable(OperatorError):
    """The model's weights can be neither found nor downloaded."""

    model: str
    reason: str


@dataclass(eq=False)
class EncoderBroken(OperatorError):
    """The self-test failed: different pictures give the same vector."""

    model: str
    similarity: float


@dataclass(eq=False)
class PortTaken(OperatorError):
    """Something else listens where the local chat, or what watches over Keaton, should."""

    port: int
    setting: str = "KEATON_WEB_PORT"
