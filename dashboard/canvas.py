"""The empty figure in the house look, and text that is safe in a chart."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard import words
from dashboard.palette import FONT, Look

__all__ = ["DEFAULT_LOOK", "canvas", "chart_text"]

DEFAULT_LOOK = Look()
_HOVER_TIME = "%a %d %b %Y"


def canvas(look: Look, *, height: int, left: int) -> go.Figure:
    """Return an empty figure in the house look."""
    figure = go.Figure()
    axis = {
        "gridcolor": look.grid,
        "linecolor": look.grid,
        "zeroline": False,
        "tickfont": {"size": 11},
        "automargin": True,
    }
    figure.update_layout(
        template=None,
        height=height,
        autosize=True,
        margin={"l": left, "r": 12, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": look.text},
        xaxis={**axis, "hoverformat": _HOVER_TIME},
        yaxis={**axis, "zeroline": True},
        yaxis2=axis,
        yaxis3=axis,
        hoverlabel={
            "bgcolor": look.ground,
            "bordercolor": look.neutral,
            "font": {"family": FONT, "size": 12, "color": look.strong},
            "align": "left",
            "namelength": -1,
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": look.text, "activecolor": look.strong},
        dragmode=False if look.narrow else "zoom",
    )
    return figure


def chart_text(text: str, length: int = 140) -> str:
    """Return untrusted text for a chart: Plotly reads a small part of HTML, so its signs are written out."""
    clean = words.clip(text, length)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
