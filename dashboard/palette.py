"""Colours and the look of charts. Negative is orange, positive blue: told apart by every kind of colour sight.

Reference: Okabe and Ito (2008), "Color Universal Design"; the diverging scale passes from orange over grey to blue.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.ask import Ask

__all__ = ["SEVERITY_COLORS", "THEME", "Look"]

SEVERITY_COLORS = {"critical": "red.8", "warning": "orange", "info": "gray"}
"""Mantine colour by severity; the word itself always stands beside it."""

FONT = "'Inter', 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'DejaVu Sans', Arial, sans-serif"

INK = [
    "#f8fafc",
    "#eef2f6",
    "#e2e8f0",
    "#cbd5e1",
    "#94a3b8",
    "#64748b",
    "#475569",
    "#334155",
    "#1e293b",
    "#0f172a",
]

DARK = [
    "#dbe2ea",
    "#b6c0cc",
    "#8c99a8",
    "#637181",
    "#3a4756",
    "#2b3644",
    "#1f2935",
    "#161e29",
    "#10161f",
    "#0a0f16",
]
"""Mantine's dark shades in slate: text first, page last but two."""

THEME = {
    "fontFamily": FONT,
    "fontSizes": {"xs": "12px", "sm": "13px", "md": "14px", "lg": "16px", "xl": "20px"},
    "headings": {"fontFamily": FONT, "fontWeight": "600"},
    "colors": {"ink": INK, "dark": DARK},
    "primaryColor": "ink",
    "primaryShade": {"light": 7, "dark": 3},
    "autoContrast": True,
    "defaultRadius": "sm",
    "cursorType": "pointer",
    "focusRing": "auto",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How charts look on one screen.

    Attributes:
        narrow: A phone: fewer columns, smaller margins.
    """

    dark: bool = False
    narrow: bool = False

    @classmethod
    def of(cls, ask: Ask) -> Look:
        """Return the look of the screen that asks."""
        return cls(dark=ask.dark, narrow=ask.narrow)

    @property
    def text(self) -> str:
        """Colour of words."""
        return "#b6c0cc" if self.dark else "#475569"

    @property
    def strong(self) -> str:
        """Colour of lines that carry the message."""
        return "#dbe2ea" if self.dark else "#1e293b"

    @property
    def ground(self) -> str:
        """Colour of the card below a chart."""
        return "#161e29" if self.dark else "#ffffff"

    @property
    def grid(self) -> str:
        """Colour of grid lines."""
        return "rgba(148,163,184,0.16)" if self.dark else "rgba(100,116,139,0.16)"

    @property
    def negative(self) -> str:
        """Colour of negative opinion."""
        return "#f2853d" if self.dark else "#d9601a"

    @property
    def neutral(self) -> str:
        """Colour of neutral opinion."""
        return "#4b5968" if self.dark else "#c5ced9"

    @property
    def positive(self) -> str:
        """Colour of positive opinion."""
        return "#4ea1e8" if self.dark else "#2373b9"

    @property
    def band(self) -> str:
        """Colour of an interval."""
        return "rgba(182,192,204,0.20)" if self.dark else "rgba(71,85,105,0.16)"

    @property
    def shade(self) -> str:
        """Colour of time that nobody listened to."""
        return "rgba(148,163,184,0.10)" if self.dark else "rgba(100,116,139,0.10)"

    @property
    def diverging(self) -> list[tuple[float, str]]:
        """Scale from negative over nothing to positive."""
        if self.dark:
            return [(0, "#e8741e"), (0.25, "#8a5330"), (0.5, "#263241"), (0.75, "#2b5f8f"), (1, "#3d97e6")]
        return [(0, "#cc5410"), (0.25, "#f0ae7e"), (0.5, "#f3f5f8"), (0.75, "#8fbde3"), (1, "#1d69ab")]

    def severity(self, severity: str) -> str:
        """Colour of an alert's mark."""
        if severity == "critical":
            return "#ff6b6b" if self.dark else "#c92a2a"
        if severity == "warning":
            return "#f59f00" if self.dark else "#e08600"
        return "#8c99a8" if self.dark else "#64748b"
