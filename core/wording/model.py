"""What is said of the model: that it is being downloaded, and what a trial with the demo model is."""

from __future__ import annotations

_MEGABYTE = 1_000_000
_TRIAL = "Trial: the small demo model knows only drawn scenes. The real one could not be downloaded"
TRIAL_BUTTON = "Download the model"


def fetching(model: str, done_bytes: int, total_bytes: int) -> str:
    """Say how far a download is, and what can be done meanwhile."""
    return (
        f"Downloading the model {model}: {_share(done_bytes, total_bytes)}. You can post links and videos now; "
        "searching begins when the model is here."
    )


def fetching_line(model: str, done_bytes: int, total_bytes: int) -> str:
    """Say how far a download is, for the log."""
    return f"downloading the model {model}: {_share(done_bytes, total_bytes)}"


def loading(model: str) -> str:
    """Say that the model is here, and soon ready."""
    return f"Loading the model {model}…"


def trial(reason: str) -> str:
    """Say why the demo model stands in, and how that ends."""
    return f"{_TRIAL}: {_first(reason)}. With internet, press the button."


def trial_command(reason: str) -> str:
    """Say the same on the command line."""
    return f"{_TRIAL}: {_first(reason)}. With internet, run `keaton model fetch`."


def absent(done_bytes: int, total_bytes: int, trouble: str) -> str:
    """Say, for an operator, that the weights are not on the disk, and how they come there."""
    so_far = f"{_share(done_bytes, total_bytes)} downloaded so far" if total_bytes else "not on this disk yet"
    if trouble:
        return f"{so_far}; the hub cannot be used ({_first(trouble)}), so `keaton model fetch` has to wait for internet"
    return f"{so_far}; `keaton run` downloads it in the background, `keaton model fetch` does at once"


def _share(done_bytes: int, total_bytes: int) -> str:
    share = done_bytes / total_bytes if total_bytes else 0.0
    return f"{share:.0%} ({done_bytes / _MEGABYTE:.0f} of {total_bytes / _MEGABYTE:.0f} MB)"


def _first(reason: str) -> str:
    """Return the first sentence of a reason."""
    return reason.strip().splitlines()[0].rstrip(".") if reason.strip() else "it is not on this disk"
