"""Two calm themes, dark and light; terminals of 16 colours get Textual's own for them."""

from __future__ import annotations

from textual.theme import Theme

THEMES = (
    Theme(
        name="repliquant",
        primary="#7aa2c8",
        secondary="#8fb996",
        accent="#d0a85c",
        warning="#d0a85c",
        error="#d4766f",
        success="#8fb996",
        foreground="#d5d9de",
        background="#14171b",
        surface="#1a1e24",
        panel="#22272f",
        dark=True,
        variables={
            "block-cursor-background": "#2f4054",
            "block-cursor-foreground": "#f2f5f8",
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": "#232a33",
            "footer-key-foreground": "#7aa2c8",
        },
    ),
    Theme(
        name="repliquant-light",
        primary="#1f5f99",
        secondary="#2f6f3e",
        accent="#8a5a00",
        warning="#8a5a00",
        error="#a8322a",
        success="#2f6f3e",
        foreground="#22262b",
        background="#fbfaf7",
        surface="#f2f0eb",
        panel="#e7e4dd",
        dark=False,
        variables={
            "block-cursor-background": "#cfe0f0",
            "block-cursor-foreground": "#10161c",
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": "#e9e6df",
            "footer-key-foreground": "#1f5f99",
        },
    ),
)


def paint(theme: Theme, tone: str) -> str:
    """The colour of ``tone`` ("primary", "success", ...) as rich names it."""
    if theme.ansi:
        return _ANSI.get(tone, "default")
    return str(getattr(theme, tone, None) or "default")


_ANSI = {"primary": "blue", "secondary": "cyan", "success": "green", "warning": "yellow",
         "error": "red", "accent": "magenta"}  # fmt: skip


def fitting(color_system: str | None, kept: str = "") -> str:
    """The theme for what the terminal can show; the one that was chosen before where it can."""
    if color_system in (None, "standard", "windows"):
        return kept if kept.startswith("ansi") else "ansi-dark"
    return kept if kept in (theme.name for theme in THEMES) else "repliquant"
