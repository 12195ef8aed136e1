"""Templates of the pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

    from aurist.metrics import Interval


def template(name: str) -> Template:
    """Load a template. Every name in it must be given, and all text is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("aurist", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"interval": _interval, "signed": "{:+z.3f}".format, "digits": _digits}
    return environment.get_template(name)


def _interval(interval: Interval) -> str:
    bounds = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval.low == interval.low else ""
    return f"{interval.score:.3f}{bounds}"


def _digits(value: float, places: int = 3) -> str:
    return "-" if value != value else f"{value:,.{places}f}"


def as_json(value: Any) -> str:
    """Write a value as JSON for a script element: no text in it can end the element.

    Examples
    --------
    >>> print(as_json({"name": "</script>"}))
    {"name":"\\u003c/script\\u003e"}
    """
    from jinja2.utils import htmlsafe_json_dumps

    return htmlsafe_json_dumps(value, json.dumps, ensure_ascii=False, separators=(",", ":"))
