"""Types of the values that settings have: how people write hosts, sites, folders and tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from core.hosts import as_looked_up


def _split(value: object) -> object:
    """Take a comma-separated text apart."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _host(value: str) -> str:
    """Take a host as people write it: a scheme, a port and a path around it say nothing."""
    is_ipv6 = value.count(":") > 1 and "//" not in value and "]" not in value
    host = value if is_ipv6 else urlsplit(value if "//" in value else f"//{value}").hostname
    if not host or host.startswith(".") or as_looked_up(host) is None:
        raise ValueError(f"{value!r} names no host")
    return host.lower()


def _site(value: str) -> str:
    """Take a site as people write it: all below a host is meant anyway."""
    scheme, slashes, rest = value.rpartition("//")
    return _host(scheme + slashes + rest.removeprefix("*").removeprefix("."))


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("there is no home folder; set KEATON_DATA_DIR") from error


Folder = Annotated[Path, AfterValidator(_absolute)]
Hosts = Annotated[frozenset[Annotated[str, AfterValidator(_host)]], NoDecode, BeforeValidator(_split)]
Sites = Annotated[frozenset[Annotated[str, AfterValidator(_site)]], NoDecode, BeforeValidator(_split)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Token = Annotated[SecretStr | None, BeforeValidator(_none_if_blank)]
